//! A region's map: how strongly each pixel of a dream counts, from a mask of any size.

use graph::{Size, Tensor};
use kernels::{Context, Threads};

use crate::image::{area, gaussian, like, rows};
use crate::{Filter, Region, resize};

/// What is less than this of a step is none, so that pixels outside keep their bytes.
const LEAST: f32 = 1.0 / 255.0;

/// By how much a mask's proportions may differ from the picture's.
const PROPORTIONS: f64 = 0.02;

/// Whether a mask of this size can be stretched to `size`.
pub(crate) fn fits(mask: Size, size: Size) -> bool {
    let proportions = |size: Size| size.width as f64 / size.height as f64;
    // A pixel more or less is a matter of rounding.
    let rounded = |one: usize, other: f64| (one as f64 - other).abs() <= 1.0;
    let wanted = mask.width as f64 * size.height as f64 / size.width as f64;
    (proportions(mask) / proportions(size) - 1.0).abs() <= PROPORTIONS
        || rounded(mask.height, wanted)
}

/// The map of `region` for dreams of `size`, from a mask that [`fits`], as [`Region::map`] has it.
pub(crate) fn of_mask(cx: &Context, region: &Region, mask: &Tensor, size: Size) -> Tensor {
    let mut map = fitted(mask, cx.threads(), size);
    let sigma = (region.feather * size.longest() as f64) as f32;
    if sigma > 0.0 {
        let mut feathered = like(&map);
        gaussian::blur(cx, &map, sigma, &mut feathered);
        map = feathered;
    }
    cut_off(cx, &mut map);
    map
}

/// A mask in another size.
pub(crate) fn fitted(mask: &Tensor, threads: &Threads, size: Size) -> Tensor {
    match mask.shape.height >= size.height && mask.shape.width >= size.width {
        true => area::averaged(mask, size),
        false => threads.install(|| resize(mask, size, Filter::Triangle)),
    }
}

/// Brings values into 0–1, what is too little to count being 0 exactly, and what rounding has left below 1
/// being 1.
fn cut_off(cx: &Context, map: &mut Tensor) {
    rows::for_each(cx.threads(), map, |_, _, row| {
        for x in row {
            *x = match *x {
                x if x >= 1.0 - 1e-6 => 1.0,
                x if x >= LEAST => x,
                _ => 0.0,
            };
        }
    });
}

/// Whether nothing counts.
pub(crate) fn is_empty(map: &Tensor) -> bool {
    map.data.iter().all(|x| *x == 0.0)
}

/// Whether everything counts fully: a map that changes nothing.
pub(crate) fn is_whole(map: &Tensor) -> bool {
    map.data.iter().all(|x| *x == 1.0)
}

#[cfg(test)]
mod tests {
    use graph::Shape;

    use super::*;
    use crate::testing::context;

    fn disc(side: usize) -> Tensor {
        let inside = |at: usize| {
            let [x, y] = [at % side, at / side].map(|x| x as f32 - side as f32 / 2.0);
            f32::from(u8::from(x * x + y * y < (side * side) as f32 / 25.0))
        };
        let data = (0..side * side).map(inside).collect();
        Tensor { shape: Shape::new(1, side, side), data }
    }

    #[test]
    fn borders_are_soft_and_what_is_far_away_is_nothing() {
        let map = of_mask(&context(), &Region::default(), &disc(100), Size::new(100, 100));
        assert_eq!(map.data[50 * 100 + 50], 1.0);
        assert!((0.3..0.7).contains(&map.data[50 * 100 + 30]), "{}", map.data[50 * 100 + 30]);
        assert_eq!(map.data[50 * 100 + 10], 0.0);
        assert!(map.data.iter().all(|x| *x == 0.0 || (LEAST..=1.0).contains(x)));
        let hard = Region { feather: 0.0, ..Region::default() };
        assert_eq!(of_mask(&context(), &hard, &disc(100), Size::new(100, 100)), disc(100));
    }

    #[test]
    fn a_mask_of_ones_is_whole_at_any_size_and_one_of_zeros_is_empty() {
        let ones = Tensor { shape: Shape::new(1, 33, 57), data: vec![1.0; 33 * 57].into() };
        let zeros = Tensor::zeros(ones.shape);
        for size in [Size::new(33, 57), Size::new(20, 34), Size::new(99, 171)] {
            let map = |mask| of_mask(&context(), &Region::default(), mask, size);
            assert!(is_whole(&map(&ones)) && is_empty(&map(&zeros)), "{size}");
        }
    }

    #[test]
    #[ignore = "needs the shared test files; see CONTRIBUTING"]
    fn feathered_and_halved_masks_are_the_references() {
        let bytes = std::fs::read(testkit::shared().join("reference/mask.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let map = |key: &str| {
            let view = file.tensor(key).unwrap();
            let values =
                view.data().as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
            let shape = Shape::new(1, view.shape()[0], view.shape()[1]);
            Tensor { shape, data: values.collect() }
        };
        let region = Region { feather: 0.04, ..Region::default() };
        let size = Size::new(24, 32);
        let feathered = of_mask(&context(), &region, &map("hard"), size);
        let half = area::averaged(&map("feathered"), Size::new(12, 16));
        let cut_off = |x: f32| if x < LEAST { 0.0 } else { x };
        for (found, expected) in feathered.data.iter().zip(&map("feathered").data) {
            assert!((found - cut_off(*expected)).abs() < 1e-5, "{found} for {expected}");
        }
        for (found, expected) in half.data.iter().zip(&map("half").data) {
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }

    #[test]
    fn masks_fit_pictures_of_their_proportions() {
        let fits = |mask: (usize, usize), size: (usize, usize)| {
            super::fits(Size::new(mask.0, mask.1), Size::new(size.0, size.1))
        };
        assert!(fits((400, 640), (400, 640)) && fits((40, 64), (400, 640)));
        assert!(fits((400, 650), (400, 640)) && fits((3, 4), (8, 12)));
        assert!(!fits((600, 800), (400, 640)) && !fits((640, 400), (400, 640)));
    }
}
