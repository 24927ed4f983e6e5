//! The reference as a backend, so that everything that runs networks can be tested without a fast one.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Run, backward_from, forward};
use crate::{
    Backend, Backwards, Executable, GraphError, Network, NodeId, OutputGradient, Real, Session,
    Shape, Size, Tensor,
};

/// Runs networks by definition, in `f32` or `f64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference<T>(PhantomData<T>);

struct Compiled<T> {
    network: Network,
    targets: Vec<NodeId>,
    /// All weights, made once.
    _held: Vec<Arc<Vec<f32>>>,
    precision: PhantomData<T>,
}

struct Rolled<T> {
    compiled: Arc<Compiled<T>>,
    size: Size,
    shift: [usize; 2],
    shapes: Vec<Shape>,
    run: Option<Run<T>>,
}

impl<T: Real> Backend for Reference<T> {
    fn compile(
        &self,
        network: &Network,
        targets: &[NodeId],
    ) -> Result<Arc<dyn Executable>, GraphError> {
        network.check_targets(targets)?;
        let (network, targets) = (network.clone(), targets.to_vec());
        let held = network.graph.hold_weights(&targets)?;
        Ok(Arc::new(Compiled { network, targets, _held: held, precision: self.0 }))
    }
}

impl<T: Real> Compiled<T> {
    fn shapes(&self, size: Size) -> Result<Vec<Option<Shape>>, GraphError> {
        self.network.graph.shapes(&self.targets, size.height, size.width)
    }
}

impl<T: Real> Executable for Compiled<T> {
    fn kept_memory(&self, _: &[Size]) -> Result<u64, GraphError> {
        Ok(0)
    }

    fn memory_for(&self, size: Size, _: Backwards) -> Result<u64, GraphError> {
        let values: usize = self.shapes(size)?.iter().flatten().map(Shape::len).sum();
        // Activations and gradients.
        Ok(2 * (values * size_of::<T>()) as u64)
    }

    fn session_for(
        self: Arc<Self>,
        size: Size,
        _: Backwards,
    ) -> Result<Box<dyn Session>, GraphError> {
        let shapes = self.shapes(size)?;
        let shape = |target: &NodeId| shapes[target.index()].expect("targets have shapes");
        let shapes = self.targets.iter().map(shape).collect();
        Ok(Box::new(Rolled { compiled: self, size, shift: [0, 0], shapes, run: None }))
    }
}

impl<T: Real> Rolled<T> {
    fn run(&self) -> &Run<T> {
        self.run.as_ref().expect("the forward pass comes first")
    }

    fn values(&self, target: usize) -> &[T] {
        self.run().values(self.compiled.targets[target])
    }

    /// `image` rolled by so many rows down and columns to the right.
    fn roll(&self, image: &Tensor, [down, right]: [usize; 2]) -> Tensor {
        let Size { height, width } = self.size;
        let mut rolled = Tensor::zeros(image.shape);
        for c in 0..image.shape.channels {
            let (from, to) = (image.channel(c), rolled.channel_mut(c));
            for (i, x) in from.iter().enumerate() {
                let (y, column) = ((i / width + down) % height, (i % width + right) % width);
                to[y * width + column] = *x;
            }
        }
        rolled
    }
}

impl<T: Real> Session for Rolled<T> {
    fn size(&self) -> Size {
        self.size
    }

    fn set_shift(&mut self, shift: [usize; 2]) {
        self.shift = [shift[0] % self.size.height, shift[1] % self.size.width];
    }

    fn forward(&mut self, image: &Tensor) -> Result<(), GraphError> {
        assert_eq!(image.shape, Shape::new(3, self.size.height, self.size.width), "another size");
        let Compiled { network, targets, .. } = &*self.compiled;
        self.run = Some(forward(network, targets, &self.roll(image, self.shift))?);
        Ok(())
    }

    fn target_shape(&self, target: usize) -> Shape {
        self.shapes[target]
    }

    fn read_activation(&self, target: usize, activation: &mut Tensor) -> Result<(), GraphError> {
        assert_eq!(activation.shape, self.shapes[target], "the layer's shape");
        for (to, from) in activation.data.iter_mut().zip(self.values(target)) {
            *to = from.to_f32();
        }
        Ok(())
    }

    fn half_sum_squares(&self, target: usize) -> Result<f64, GraphError> {
        Ok(self.values(target).iter().map(|x| 0.5 * f64::from(x.to_f32()).powi(2)).sum())
    }

    fn backward(
        &mut self,
        outputs: &[OutputGradient<'_>],
        gradient: &mut Tensor,
    ) -> Result<(), GraphError> {
        let Compiled { network, targets, .. } = &*self.compiled;
        assert_eq!(outputs.len(), targets.len(), "a gradient for each target");
        let own = |target: usize| -> Vec<T> {
            match outputs[target] {
                OutputGradient::Activation { weight } => {
                    self.values(target).iter().map(|&x| T::of(weight) * x).collect()
                }
                OutputGradient::Gradient(tensor)
                | OutputGradient::Unmasked { gradient: tensor, .. } => {
                    assert_eq!(tensor.shape, self.shapes[target], "the layer's shape");
                    tensor.data.iter().map(|&x| T::of(x)).collect()
                }
            }
        };
        let mut alive = Vec::new();
        for (output, &target) in outputs.iter().zip(targets) {
            let OutputGradient::Unmasked { channels, .. } = output else { continue };
            let source = |&channel| self.run().rectifier(network, target, channel);
            alive.extend(channels.iter().filter_map(source));
        }
        let outputs = targets.iter().enumerate().map(|(index, &node)| (node, own(index)));
        let seen = backward_from(network, self.run(), outputs, &alive);
        let Size { height, width } = self.size;
        let back = [(height - self.shift[0]) % height, (width - self.shift[1]) % width];
        *gradient = self.roll(&seen, back);
        Ok(())
    }
}
