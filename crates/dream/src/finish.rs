//! The finish: what is done to a dream once, at its end.

use graph::Tensor;
use kernels::Threads;

use crate::image::rows;
use crate::{ColorStats, Finish, FinishCurve};

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
    let soft = finish.curve == FinishCurve::Soft;
    if !finish.is_any() {
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
        saturate(threads, dream, finish.saturation, soft);
    }
    if finish.contrast != 1.0 {
        let mean = ColorStats::of(threads, dream).mean.mean() as f32;
        contrast(threads, dream, mean, finish.contrast, soft);
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

/// Makes the distance of each pixel's values from its brightness so many `times` as large; on a soft curve
/// that of the value which has the least room goes on as [`softly`] says, and the others with it, so that the hue stays.
fn saturate(threads: &Threads, dream: &mut Tensor, times: f32, soft: bool) {
    rows::for_each_band(threads, dream, rows::ROWS, |_, [red, green, blue]| {
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let brightness = BRIGHTNESS[0] * *red + BRIGHTNESS[1] * *green + BRIGHTNESS[2] * *blue;
            let times = match soft {
                true => [*red, *green, *blue]
                    .map(|value| softly(value, brightness, times))
                    .into_iter()
                    .fold(times, f32::min),
                false => times,
            };
            for value in [red, green, blue] {
                *value = brightness + times * (*value - brightness);
            }
        }
    });
}

/// Makes the distance of each value from `mean` so many `times` as large, or as [`softly`] says.
fn contrast(threads: &Threads, dream: &mut Tensor, mean: f32, times: f32, soft: bool) {
    rows::for_each(threads, dream, |_, _, row| {
        row.iter_mut().for_each(|x| {
            let times = if soft { softly(*x, mean, times) } else { times };
            *x = mean + times * (*x - mean);
        });
    });
}

/// How many times as far a value goes from a middle: near that so many `times`, and ever less the less room there
/// is to 0 or 255, where values stay. With the share u of that room that is used, the new share is
/// t u / (1 + (t - 1) u).
fn softly(value: f32, middle: f32, times: f32) -> f32 {
    let room = if value > middle { 255.0 - middle } else { middle };
    if times <= 1.0 || room <= 0.0 {
        return times;
    }
    let used = ((value - middle).abs() / room).min(1.0);
    times / (1.0 + (times - 1.0) * used)
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

    /// How far red and blue of a pixel are from its brightness.
    fn chroma(of: &Tensor, at: usize) -> [f32; 2] {
        let [red, green, blue] = [0, 1, 2].map(|c| of.channel(c)[at]);
        let brightness = BRIGHTNESS[0] * red + BRIGHTNESS[1] * green + BRIGHTNESS[2] * blue;
        [red - brightness, blue - brightness]
    }

    fn length([a, b]: [f32; 2]) -> f32 {
        a.hypot(b)
    }

    #[test]
    fn a_soft_curve_cuts_nothing_off_and_keeps_order_and_hue() {
        let mut dark = pattern(40, 30);
        let shares = (0..).map(|place| (place * 37 % 101) as f32 / 100.0);
        dark.data.iter_mut().zip(shares).for_each(|(x, share)| *x = 2.0 + 250.0 * share.powi(3));
        let cut = |of: &Tensor| of.data.iter().filter(|x| **x <= 0.0 || **x >= 255.0).count();
        let at_ends = cut(&dark);
        for finish in [
            Finish { contrast: 1.3, ..Finish::default() },
            Finish { contrast: 4.0, ..Finish::default() },
            Finish { saturation: 4.0, ..Finish::default() },
        ] {
            let finished = |curve| {
                let mut done = dark.clone();
                apply(&Finish { curve, ..finish.clone() }, &threads(), &dark, None, &mut done);
                done
            };
            let [soft, straight] = [FinishCurve::Soft, FinishCurve::Straight].map(finished);
            // A few that are next to an end are rounded to it.
            assert!(cut(&soft) < at_ends + 20, "{finish:?}: {} for {at_ends}", cut(&soft));
            assert!(cut(&straight) > at_ends + 100, "{finish:?}: {}", cut(&straight));
            let moved =
                soft.data.iter().zip(&dark.data).filter(|(a, b)| (*a - *b).abs() > 1.0).count();
            assert!(moved > dark.data.len() / 4, "{finish:?}: {moved}");
            if finish.saturation > 1.0 {
                for at in 0..dark.shape.plane() {
                    let [before, after] = [&dark, &soft].map(|of| chroma(of, at));
                    let crossed = before[0] * after[1] - before[1] * after[0];
                    assert!(
                        crossed.abs() < 0.05 * (1.0 + length(before) * length(after)).sqrt(),
                        "{at}"
                    );
                    assert!(before[0] * after[0] + before[1] * after[1] >= -1e-3, "{at}");
                }
            }
        }
        // Darker stays darker, and near the middle a curve is as steep as it is said to be.
        let at = |x: f32| 60.0 + softly(x, 60.0, 1.3) * (x - 60.0);
        assert_eq!((at(0.0), at(60.0), at(255.0)), (0.0, 60.0, 255.0));
        assert!((0..255).all(|x| at(x as f32) < at(x as f32 + 1.0)));
        assert!((at(60.5) - at(59.5) - 1.3).abs() < 0.02);
        // Below 1 there is nothing to cut off.
        assert_eq!(softly(200.0, 60.0, 0.5), 0.5);
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
        check("saturation_1.5", 1e-6, &|dream| saturate(&threads, dream, 1.5, false));
        check("contrast_1.2", 1e-6, &|dream| contrast(&threads, dream, 127.5, 1.2, false));
        for (key, strength) in [("levels_1", 1.0), ("levels_0.5", 0.5)] {
            check(key, 1e-5, &|dream| {
                ColorStats::of(&threads, &photo).transfer_to(&threads, dream, strength);
            });
        }
    }
}
