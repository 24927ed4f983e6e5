//! Two executables for each layer, one with the machine's kernels and one with plain loops, given the same
//! pictures.

use std::sync::Arc;

use cpu::{CpuExecutable, CpuSession};
use dream::Machine;
use graph::{
    Executable, Graph, Network, NodeId, Op, OutputGradient, Pass, Session, Shape, Size, StepTime,
    Tensor,
};
use kernels::{Context, CpuLevel};

use super::report::{self, ComparedLayer};
use crate::inspect::check_memory;
use crate::progress::{Clock, Run};
use crate::{Error, Event, Result, Stage, Work, targets};

/// Every layer with a name of its own that the `targets` are computed from, they among them, in order.
pub(super) fn on_the_way(network: &Network, targets: &[String]) -> Result<Vec<(String, NodeId)>> {
    let graph = &network.graph;
    let find = |name: &String| targets::find(network, name);
    let ancestors = graph.ancestors(&targets.iter().map(find).collect::<Result<Vec<_>>>()?);
    let named = graph.layers().into_iter();
    let named = named.filter_map(|layer| Some((graph.find_target(&layer.name).ok()?, layer.name)));
    let wanted = named.filter(|(node, _)| ancestors.binary_search(node).is_ok());
    Ok(wanted.map(|(node, name)| (name, node)).collect())
}

/// Compares all `layers`, each on its own: so every kernel runs as in a dream on that layer, and no
/// more than one layer's memory is needed.
pub(super) fn compare(
    network: &Network,
    layers: &[(String, NodeId)],
    pictures: &[Tensor],
    machine: &Machine,
    run: Run,
) -> Result<Vec<ComparedLayer>> {
    // The work as far as it can be foreseen: layers to run × pixels.
    let work = |node: NodeId, picture: &Tensor| {
        (network.graph.ancestors(&[node]).len() * picture.shape.plane()) as u64
    };
    let works = layers.iter().flat_map(|(_, node)| pictures.iter().map(|p| work(*node, p)));
    let (clock, mut done) = (Clock::new(Some(works.sum())), 0);
    run.started(Work::Check);
    let mut compared = Vec::new();
    for (name, node) in layers {
        let pair = Pair::new(network, *node, pictures, machine)?;
        let mut layer = ComparedLayer::new(name);
        for picture in pictures {
            if run.is_cancelled() {
                return Err(stopped());
            }
            pair.compare(picture, &mut layer)?;
            done += work(*node, picture);
            let stage = Stage::Compared { layer: name.clone() };
            run.event(Event::Progress(clock.progress(stage, done)));
        }
        compared.push(layer);
    }
    Ok(compared)
}

/// The error of a check that was cancelled.
pub(super) fn stopped() -> Error {
    Error::cancelled("stopped before all layers were compared")
}

/// The fast and the plain way to one layer.
struct Pair<'n> {
    graph: &'n Graph,
    node: NodeId,
    fast: Arc<CpuExecutable>,
    plain: Arc<CpuExecutable>,
}

impl<'n> Pair<'n> {
    /// Both, with memory for the last, the largest, of the `pictures`.
    fn new(
        network: &'n Network,
        node: NodeId,
        pictures: &[Tensor],
        machine: &Machine,
    ) -> Result<Self> {
        let size = pictures.last().map_or(Size::new(0, 0), size);
        let compile = |cx: Context, free: u64| -> Result<_> {
            let executable = CpuExecutable::new(network, &[node], cx)?;
            check_memory(&executable, size, free)?;
            Ok(Arc::new(executable))
        };
        let fast = compile(machine.context.clone(), machine.memory)?;
        let fast_needs = fast.memory(size)?.saturating_add(fast.kept_memory(&[size])?);
        let free = machine.memory.saturating_sub(fast_needs);
        let plain = Context::new(machine.context.threads().clone(), CpuLevel::Scalar);
        Ok(Self { graph: &network.graph, node, fast, plain: compile(plain, free)? })
    }

    /// Lets `layer` know how far the two are apart on `picture`.
    fn compare(&self, picture: &Tensor, layer: &mut ComparedLayer) -> Result<()> {
        let session = |executable: &Arc<CpuExecutable>| -> Result<_> {
            let mut session = Arc::clone(executable).cpu_session(size(picture))?;
            session.record_times();
            session.forward(picture)?;
            Ok(session)
        };
        let (mut fast, mut plain) = (session(&self.fast)?, session(&self.plain)?);
        let changed = plain.copy_activation_pattern(&fast);
        let (found, wanted) = (Answer::of(&mut fast, picture)?, Answer::of(&mut plain, picture)?);
        let gradient = relative(&found.gradient, &wanted.gradient);
        layer.add(
            relative(&found.activation, &wanted.activation),
            if changed <= report::CHOICES { gradient } else { f64::INFINITY },
        );
        let times = fast.times();
        layer.forward = kernel(self.graph, self.node, &times, Pass::Forward);
        layer.backward = kernel(self.graph, self.node, &times, Pass::Backward);
        Ok(())
    }
}

/// What one path says about a layer.
struct Answer {
    activation: Tensor,
    gradient: Tensor,
}

impl Answer {
    /// After the forward pass on `picture`.
    fn of(session: &mut CpuSession, picture: &Tensor) -> Result<Self> {
        let mut gradient = Tensor::zeros(picture.shape);
        let activation = session.activation(0)?;
        let output = OutputGradient::Activation { weight: 1.0 };
        session.backward(&[output], &mut gradient)?;
        Ok(Self { activation, gradient })
    }
}

fn size(picture: &Tensor) -> Size {
    let Shape { height, width, .. } = picture.shape;
    Size::new(height, width)
}

/// The kernel that computes `node` in a `pass`: its own, or that of the layer it is a part of.
fn kernel(graph: &Graph, node: NodeId, times: &[StepTime], pass: Pass) -> Option<&'static str> {
    let mut node = graph.node(node);
    loop {
        let is = |time: &&StepTime| {
            time.pass == pass && time.layers.split(" + ").any(|layer| layer == node.name)
        };
        match (times.iter().find(is), &node.op, node.inputs.as_slice()) {
            (Some(time), ..) => return Some(time.kernel),
            (None, Op::Relu | Op::Affine(_), &[input]) => node = graph.node(input),
            _ => return None,
        }
    }
}

/// How far `found` is from `wanted`, in L2, relative to `wanted`; infinite if either is not finite.
fn relative(found: &Tensor, wanted: &Tensor) -> f64 {
    let squares = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        let pairs = found.data.iter().zip(&wanted.data);
        pairs.map(|(&found, &wanted)| of(found.into(), wanted.into()).powi(2)).sum()
    };
    let off = squares(&|found, wanted| found - wanted);
    let size = squares(&|_, wanted| wanted);
    if off == 0.0 {
        return 0.0;
    }
    let error = (off / size).sqrt();
    if error.is_nan() { f64::INFINITY } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32]) -> Tensor {
        Tensor { shape: Shape::new(1, 1, values.len()), data: values.to_vec().into() }
    }

    #[test]
    fn errors_are_relative_to_the_plain_answer() {
        let error = |found: &[f32], wanted: &[f32]| relative(&tensor(found), &tensor(wanted));
        assert_eq!(error(&[3.0, 4.0], &[3.0, 4.0]), 0.0);
        assert_eq!(error(&[3.0, 5.0], &[3.0, 4.0]), 0.2);
        assert_eq!(error(&[0.0], &[0.0]), 0.0);
        assert_eq!(error(&[1.0], &[0.0]), f64::INFINITY);
        assert_eq!(error(&[f32::NAN], &[1.0]), f64::INFINITY);
        assert_eq!(error(&[1.0], &[f32::INFINITY]), f64::INFINITY);
    }
}
