//! Which layer's values are no numbers: asked once a dream or a classification has come to nothing.

use std::sync::Arc;

use crate::{Backend, Executable, GraphError, Network, NodeId, Size, Tensor};

/// As many layers are looked at in one pass at the most.
const AT_ONCE: usize = 64;

/// The first layer, in the graph's order, among `targets` and all they are computed from, whose activation
/// for any of the `images` is not finite everywhere; `None` if all are.
///
/// The network runs anew, each time to as many layers as take no more than `memory` bytes together; a layer
/// that takes more by itself is passed over.
///
/// # Errors
/// What [`Network::check_targets`] refuses, an image too small for a target, or a device that fails.
pub fn first_not_finite(
    backend: &dyn Backend,
    network: &Network,
    targets: &[NodeId],
    images: &[Tensor],
    memory: u64,
) -> Result<Option<NodeId>, GraphError> {
    network.check_targets(targets)?;
    let graph = &network.graph;
    let layers: Vec<NodeId> = graph
        .ancestors(targets)
        .into_iter()
        .filter(|&node| graph.check_target(node).is_ok())
        .collect();
    let (mut rest, mut count) = (&layers[..], AT_ONCE);
    while !rest.is_empty() {
        count = count.min(rest.len());
        let executable = backend.compile(network, &rest[..count])?;
        if !fits(&*executable, images, memory)? {
            match count {
                1 => rest = &rest[1..],
                _ => count /= 2,
            }
            continue;
        }
        if let Some(index) = not_finite(&executable, count, images)? {
            return Ok(Some(rest[index]));
        }
        rest = &rest[count..];
    }
    Ok(None)
}

fn size(image: &Tensor) -> Size {
    image.shape.size()
}

fn fits(executable: &dyn Executable, images: &[Tensor], memory: u64) -> Result<bool, GraphError> {
    let sizes: Vec<Size> = images.iter().map(size).collect();
    let mut needed = 0;
    for &size in &sizes {
        needed = executable.memory(size)?.max(needed);
    }
    Ok(needed.saturating_add(executable.kept_memory(&sizes)?) <= memory)
}

/// The first of the `count` targets with a value that is not finite.
fn not_finite(
    executable: &Arc<dyn Executable>,
    count: usize,
    images: &[Tensor],
) -> Result<Option<usize>, GraphError> {
    let mut first = None;
    for image in images {
        let mut session = Arc::clone(executable).session(size(image))?;
        session.forward(image)?;
        for target in 0..first.unwrap_or(count) {
            if session.activation(target)?.data.iter().any(|value| !value.is_finite()) {
                first = Some(target);
                break;
            }
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;
    use crate::{Affine, GraphBuilder, InputSpec, Op, Shape};

    #[test]
    fn the_first_layer_in_the_graph_s_order_is_found() {
        let mut builder = GraphBuilder::new("image", 3);
        let scale = |by: f32| Op::Affine(Affine { scale: [by; 3].into(), shift: [0.0; 3].into() });
        let mut last = builder.input();
        for (name, by) in [("small", 1e10), ("large", 1e20), ("infinite", 1e20), ("zero", 0.0)] {
            last = builder.add(name, scale(by), &[last]);
        }
        let relu = builder.add("relu", Op::Relu, &[last]);
        let network = Network {
            name: String::new(),
            hash: String::new(),
            graph: builder.finish(),
            input: InputSpec::default(),
            labels: Vec::new(),
        };
        let image = |value: f32| Tensor { shape: Shape::new(3, 1, 1), data: vec![value; 3].into() };
        let find = |images: &[Tensor], memory: u64| {
            let backend = Reference::<f32>::default();
            let found = first_not_finite(&backend, &network, &[relu], images, memory).unwrap();
            found.map(|node| network.graph.node(node).name.as_str())
        };
        assert_eq!(find(&[image(0.0)], u64::MAX), None);
        assert_eq!(find(&[image(0.0), image(255.0)], u64::MAX), Some("infinite"));
        assert_eq!(find(&[image(f32::INFINITY)], u64::MAX), Some("small"));
        assert_eq!(find(&[image(255.0)], 0), None);
    }
}
