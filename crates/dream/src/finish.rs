//! The finish: what is done to a dream once, at its end.

use graph::Tensor;
use kernels::Threads;

use crate::image::rows;
use crate::{ColorStats, Finish};

/// How much red, green and blue count for brightness (ITU-R BT.601, as JPEG has it).
const BRIGHTNESS: [f32; 3] = [0.299, 0.587, 0.114];

/// Finishes a dream on `picture`, of the same size: mixes the two, leads brightness, contrast and colours
/// back, changes colourfulness and contrast, and clips to 0–255. Where the dream does not `reach`, one
/// channel of 0–1, nothing changes, and where it half does, half as much.
pub(crate) fn apply(
    finish: &Finish,
    threads: &Threads,
    picture: &Tensor,
    reach: Option<&Tensor>,
    dream: &mut Tensor,
) {
    if *finish == Finish::default() {
        return;
    }
    // What there is to mix is as soft at the border as the dream itself.
    if finish.mix != 1.0 {
        mix(threads, picture, finish.mix, dream);
    }
    let before = reach.map(|reach| (reach, dream.clone()));
    if finish.levels > 0.0 {
        ColorStats::of(threads, picture).transfer_to(threads, dream, finish.levels);
    }
    if finish.saturation != 1.0 {
        saturate(threads, dream, finish.saturation);
    }
    if finish.contrast != 1.0 {
        let mean = ColorStats::of(threads, dream).mean.mean() as f32;
        contrast(threads, dream, mean, finish.contrast);
    }
    if let Some((reach, before)) = before {
        rows::for_each(threads, dream, |c, y, row| {
            let places = rows::row(&before, c, y).iter().zip(rows::row(reach, 0, y));
            row.iter_mut().zip(places).for_each(|(x, (before, reach))| {
                *x = if *reach == 0.0 { *before } else { before + reach * (*x - before) };
            });
        });
    }
    rows::for_each(threads, dream, |_, _, row| {
        row.iter_mut().for_each(|x| *x = x.clamp(0.0, 255.0));
    });
}

/// Leaves `share` of what the dream has added to the picture.
fn mix(threads: &Threads, picture: &Tensor, share: f32, dream: &mut Tensor) {
    rows::for_each(threads, dream, |c, y, row| {
        let picture = rows::row(picture, c, y);
        row.iter_mut().zip(picture).for_each(|(x, picture)| *x = picture + share * (*x - picture));
    });
}

/// Makes the distance of each pixel's values from its brightness so many `times` as large.
fn saturate(threads: &Threads, dream: &mut Tensor, times: f32) {
    rows::for_each_band(threads, dream, rows::ROWS, |_, [red, green, blue]| {
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let brightness = BRIGHTNESS[0] * *red + BRIGHTNESS[1] * *green + BRIGHTNESS[2] * *blue;
            for value in [red, green, blue] {
                *value = brightness + times * (*value - brightness);
            }
        }
    });
}

/// Makes the distance of each value from `mean` so many `times` as large.
fn contrast(threads: &Threads, dream: &mut Tensor, mean: f32, times: f32) {
    rows::for_each(threads, dream, |_, _, row| {
        row.iter_mut().for_each(|x| *x = mean + times * (*x - mean));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{pattern, reference, threads};

    fn finished(finish: Finish) -> (Tensor, Tensor, Tensor) {
        let [mut picture, mut dream] = [pattern(9, 8), pattern(9, 8)];
        picture.data.iter_mut().for_each(|x| *x = 120.0 + 0.5 * *x);
        dream.data.reverse();
        dream.data.iter_mut().for_each(|x| *x = 130.0 + 0.4 * *x);
        let before = dream.clone();
        apply(&finish, &threads(), &picture, None, &mut dream);
        (picture, before, dream)
    }

    #[test]
    fn at_a_soft_border_the_finish_fades_out() {
        let [picture, mut dream] = [pattern(9, 8), pattern(9, 8)];
        dream.data.reverse();
        let finish = Finish { saturation: 0.0, ..Finish::default() };
        let mut reach = Tensor::zeros(graph::Shape::new(1, 9, 8));
        reach.data.iter_mut().zip([0.0, 0.5, 1.0].into_iter().cycle()).for_each(|(x, to)| *x = to);
        let [mut whole, mut within] = [dream.clone(), dream.clone()];
        apply(&finish, &threads(), &picture, None, &mut whole);
        apply(&finish, &threads(), &picture, Some(&reach), &mut within);
        for (at, x) in within.data.iter().enumerate() {
            let (before, reach) = (dream.data[at].clamp(0.0, 255.0), reach.data[at % 72]);
            let grey = (0.299 * dream.data[at % 72] + 0.587 * dream.data[at % 72 + 72])
                + 0.114 * dream.data[at % 72 + 144];
            let wanted = dream.data[at] + reach * (grey - dream.data[at]);
            assert!((x - wanted.clamp(0.0, 255.0)).abs() < 1e-3, "{at}: {x} for {wanted}");
            assert!(reach != 0.0 || *x == before);
        }
    }

    #[test]
    fn each_part_does_what_it_says() {
        let usual = Finish::default();
        let (picture, before, dream) = finished(usual.clone());
        assert_eq!(dream, before);
        let (_, _, dream) = finished(Finish { mix: 0.0, ..usual.clone() });
        assert_eq!(dream, picture);
        let (_, _, half) = finished(Finish { mix: 0.5, ..usual.clone() });
        let middle = picture.data.iter().zip(&before.data).map(|(a, b)| 0.5 * (a + b));
        assert!(half.data.iter().zip(middle).all(|(x, middle)| (x - middle).abs() < 1e-4));
        let (_, _, grey) = finished(Finish { saturation: 0.0, ..usual.clone() });
        assert_eq!(grey.channel(0), grey.channel(2));
        let threads = threads();
        let (_, _, flat) = finished(Finish { contrast: 0.0, ..usual.clone() });
        let mean = ColorStats::of(&threads, &before).mean.mean() as f32;
        assert!(flat.data.iter().all(|x| (x - mean).abs() < 1e-3));
        let (_, _, led) = finished(Finish { levels: 1.0, ..usual });
        let [led, wanted] = [led, picture].map(|of| ColorStats::of(&threads, &of).mean);
        assert!((led - wanted).amax() < 0.5, "{led} for {wanted}");
    }

    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn colours_are_those_computed_elsewhere() {
        let file = reference("color");
        let (photo, dream, threads) = (file.picture("photo"), file.picture("dream"), threads());
        let check = |key: &str, tolerance: f64, change: &dyn Fn(&mut Tensor)| {
            let mut found = dream.clone();
            change(&mut found);
            let off = testkit::error(&found.data, &file.picture(key).data);
            assert!(off < tolerance, "{key}: {off:e}");
        };
        check("strength_0.6", 1e-6, &|dream| mix(&threads, &photo, 0.6, dream));
        check("saturation_1.5", 1e-6, &|dream| saturate(&threads, dream, 1.5));
        check("contrast_1.2", 1e-6, &|dream| contrast(&threads, dream, 127.5, 1.2));
        for (key, strength) in [("levels_1", 1.0), ("levels_0.5", 0.5)] {
            check(key, 1e-5, &|dream| {
                ColorStats::of(&threads, &photo).transfer_to(&threads, dream, strength);
            });
        }
    }
}
