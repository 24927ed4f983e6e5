//! The diversity of pictures on a network: against numbers computed elsewhere, and against the slope of what it
//! is the gradient of.

use std::sync::Arc;

use cpu::Cpu;
use graph::{Backend, Backwards, Shape, Tensor};
use testkit::shared;

use super::cuts::Grid;
use super::diversity::Diversity;
use super::terms::{Objective, Part, Seen};
use crate::testing::{context, reference, threads};

/// Relative L2 errors allowed in what is computed of given values, and in gradients by plain loops.
const OF_VALUES: f64 = 1e-5;
const GRADIENT: f64 = 1e-4;

fn mirrored(picture: &Tensor) -> Tensor {
    let mut mirrored = picture.clone();
    mirrored.data.chunks_mut(picture.shape.width).for_each(<[f32]>::reverse);
    mirrored
}

#[test]
#[ignore = "needs the shared test files; see CONTRIBUTING"]
fn seeds_and_gradients_are_those_computed_elsewhere() {
    let network = models::load(&shared().join("models/bvlc_googlenet.caffemodel")).unwrap();
    let target = network.graph.find("inception_4c/output").unwrap();
    let executable = Arc::new(Cpu::new(context())).compile(&network, &[target]).unwrap();
    let [inputs, numbers] = ["inputs", "diversity"].map(reference);
    let pictures = ["picture", "guide_same"].map(|key| inputs.picture(key));
    let pictures = [pictures[0].clone(), pictures[1].clone(), mirrored(&pictures[0])];
    let size = pictures[0].shape.size();
    let grid = Grid::new(&network.graph, &[target]);
    let parts = vec![Part { target: 0, seeding: None }];
    let objective = Objective::new(executable, 1, parts, (vec![1.0], false), (size, grid));
    let mut evaluation = objective.evaluation(size, Backwards::One).unwrap();
    let mut diversity = Diversity::new(pictures.len(), evaluation.keep_first());
    let mut gradient = Tensor::zeros(pictures[0].shape);
    let shift = crate::ascent::Shift::default();
    let view = super::place::View::whole(size, shift);
    for (number, picture) in pictures.iter().enumerate() {
        let threads = threads();
        let at = (picture, Seen::Never);
        evaluation.value_and_gradient(&threads, &[1.0], (&view, &[]), at, &mut gradient).unwrap();
        diversity.note(&threads, number, evaluation.first().unwrap());
    }
    diversity.gather(&threads());
    for (number, picture) in pictures.iter().enumerate() {
        let mut seeded = Tensor::zeros(Shape::new(1, 1, 1));
        let seed = |values: &Tensor, seed: &mut Tensor| {
            diversity.gradient(&threads(), number, values, seed);
            seeded = seed.clone();
        };
        evaluation.gradient_from_first(picture, seed, &mut gradient).unwrap();
        let error =
            testkit::error(&seeded.data, &numbers.numbers(&format!("diversity.seed_{number}")));
        assert!(error < OF_VALUES, "the seed of picture {number} is off by {error:.1e}");
        let expected = numbers.picture(&format!("diversity.gradient_{number}"));
        let error = testkit::error(&gradient.data, &expected.data);
        assert!(error < GRADIENT, "the gradient of picture {number} is off by {error:.1e}");
    }
}
