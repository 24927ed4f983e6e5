//! What unit tests share.

use graph::{Shape, Tensor};
use kernels::{Context, CpuLevel, Threads};

pub(crate) fn threads() -> Threads {
    Threads::new(2).expect("two threads can be started")
}

/// Two threads of the least level.
pub(crate) fn context() -> Context {
    Context::new(threads(), CpuLevel::Scalar)
}

/// Three channels of values from −100 to 100 with no pattern a filter would miss.
pub(crate) fn pattern(height: usize, width: usize) -> Tensor {
    let shape = Shape::new(3, height, width);
    let value = |i: usize| ((i * 7919 + i * i * 31) % 2003) as f32 / 10.015 - 100.0;
    Tensor { shape, data: (0..shape.len()).map(value).collect() }
}

/// A file of numbers that were computed elsewhere, among the shared test files.
pub(crate) struct Reference(Vec<u8>);

/// The one of this name.
pub(crate) fn reference(name: &str) -> Reference {
    let path = testkit::shared().join(format!("reference/{name}.safetensors"));
    Reference(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

impl Reference {
    fn tensor(&self, key: &str) -> (Vec<usize>, Vec<f32>) {
        let file = safetensors::SafeTensors::deserialize(&self.0).expect("it can be read");
        let tensor = file.tensor(key).unwrap_or_else(|error| panic!("{key}: {error}"));
        let numbers = tensor.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four));
        (tensor.shape().to_vec(), numbers.collect())
    }

    /// The numbers under `key`, as the file has them.
    pub(crate) fn numbers(&self, key: &str) -> Vec<f32> {
        self.tensor(key).1
    }

    /// Height × width × 3 under `key`, as a tensor.
    pub(crate) fn picture(&self, key: &str) -> Tensor {
        let (shape, numbers) = self.tensor(key);
        let mut tensor = Tensor::zeros(Shape::new(shape[2], shape[0], shape[1]));
        for (index, number) in numbers.into_iter().enumerate() {
            tensor.channel_mut(index % shape[2])[index / shape[2]] = number;
        }
        tensor
    }
}
