//! Regions against numbers computed elsewhere, in double precision, over GoogLeNet.

use crate::common::{Watch, edited, machine};
use dream::{Assets, Balance, Bound, Channels, Plan, Recipe, Region, Tensor, Term, dream};
use graph::Shape;
use safetensors::SafeTensors;
use testkit::shared;

/// A file of reference numbers.
struct Numbers(Vec<u8>);

impl Numbers {
    fn open(name: &str) -> Self {
        Self(std::fs::read(shared().join("reference").join(name)).unwrap())
    }

    /// A picture, or one channel, of the file's height × width (× 3).
    fn picture(&self, key: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(key).unwrap();
        let channels = view.shape().get(2).copied().unwrap_or(1);
        let mut picture = Tensor::zeros(Shape::new(channels, view.shape()[0], view.shape()[1]));
        let plane = picture.shape.plane();
        for (at, four) in view.data().as_chunks::<4>().0.iter().enumerate() {
            picture.data[at % channels * plane + at / channels] = f32::from_le_bytes(*four);
        }
        picture
    }
}

// So long that what is left of a step beside the picture's values is exact enough.
const STEP: f32 = 1000.0;

/// One step on the reference's picture, divided by its length, of `terms` in regions of these maps.
fn step(terms: Vec<Term>, maps: &[(&str, Tensor)]) -> Vec<f32> {
    let path = shared().join("models/bvlc_googlenet.caffemodel");
    let network = models::open(path.to_str().unwrap()).unwrap();
    let picture = Numbers::open("inputs.safetensors").picture("picture");
    let mut recipe = edited(Recipe::default(), |it| {
        it.octaves.count = 1;
        (it.ascent.iterations, it.ascent.step, it.ascent.jitter) = (1, STEP, 0);
        it.ascent.bound = Bound::None;
        (it.objective, it.balance) = (terms, Balance::Raw);
    });
    let mut assets = Assets::default();
    for (name, map) in maps {
        let region = Region { feather: 0.0, ..Region::default() };
        recipe.regions.insert((*name).to_owned(), region);
        assets.masks.insert((*name).to_owned(), map.clone());
    }
    let size = picture.shape.size();
    let plan = Plan::with_assets(&recipe, &assets, &network, size, &machine(2)).unwrap();
    let after = dream(&plan, picture.clone(), &mut Watch::default()).unwrap();
    after.data.iter().zip(&picture.data).map(|(after, before)| (after - before) / STEP).collect()
}

fn mask() -> Tensor {
    Numbers::open("inputs.safetensors").picture("mask")
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn a_step_within_a_mask_is_the_references() {
    let mut map = mask();
    map.data.iter_mut().for_each(|x| *x = if *x > 0.5 { *x } else { 0.0 });
    let step = step(vec![Term::layer("inception_4c/output")], &[("mask", map)]);
    let expected = Numbers::open("regions.safetensors").picture("one_region");
    let off = testkit::error(&step, &expected.data);
    assert!(off < 1e-4, "{off:e}");
    let outside = step.iter().zip(&expected.data).filter(|(_, expected)| **expected == 0.0);
    assert!(outside.clone().count() > 1000 && outside.clone().all(|(step, _)| *step == 0.0));
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn a_step_in_two_regions_is_the_references() {
    let (a, mut b) = (mask(), mask());
    b.data.iter_mut().for_each(|x| *x = 1.0 - *x);
    let layer = || Term::layer("inception_4c/output");
    let channel = layer().with_channels(Channels::Listed(vec![5]));
    let step = step(vec![layer().within("a"), channel.within("b")], &[("a", a), ("b", b)]);
    let expected = Numbers::open("regions.safetensors").picture("direction");
    let off = testkit::error(&step, &expected.data);
    // Maps are cut off below 1/255.
    assert!(off < 2e-3, "{off:e}");
}
