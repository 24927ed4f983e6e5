//! A class as a direction of the last layer that still has positions.
//!
//! What stands between that layer and the classes' scores, an average over positions and a fully connected
//! layer, is linear: a class's score is the mean over positions of the product of its row of weights with the
//! layer's values (class activation mapping, <https://arxiv.org/abs/1512.04150>). So it can be climbed on
//! pictures of any size, in tiles and at places. Networks with hidden fully connected layers have none such:
//! there, the layers become convolutions (<https://arxiv.org/abs/1411.4038>), and the class a channel.

use graph::{Graph, GraphError, Network, NodeId, Op, passes};
use strsim::normalized_damerau_levenshtein as alike;

use super::TermError;
use crate::ClassId;

/// How many names are suggested, at the most.
const SUGGESTIONS: usize = 3;

/// Where a network's classes are.
pub(crate) struct Classes {
    /// The layer that they are directions of.
    pub(crate) node: NodeId,
    head: Head,
    count: usize,
    /// The network's graph with its fully connected layers made convolutions, if that takes it.
    pub(crate) convolved: Option<Graph>,
}

/// How the layer's values make a class's score.
enum Head {
    /// The layer has a channel for each class.
    Channel,
    /// By a row of weights of this node.
    Row(NodeId),
}

impl Classes {
    /// Finds where the classes of `network` are.
    ///
    /// # Errors
    /// [`TermError::NoClasses`].
    pub(crate) fn of(network: &Network) -> Result<Self, TermError> {
        let layers = network.graph.layers();
        let classes = layers.iter().rfind(|layer| layer.channels == network.labels.len());
        let last = classes.or(layers.last());
        let none = || TermError::NoClasses {
            network: network.name.clone(),
            last: last.map_or_else(String::new, |layer| layer.name.clone()),
        };
        let last = last.ok_or_else(none)?;
        let end = network.graph.find(&last.name).map_err(|_| none())?;
        let found = linear(&network.graph, end, last.channels).or_else(|| {
            let convolved = passes::dense_as_convolutions(&network.graph)?;
            let node = scores(&convolved, end);
            let count = last.channels;
            Some(Self { node, head: Head::Channel, count, convolved: Some(convolved) })
        });
        let supported = |found: &Self| network.graph.check_target(found.node).is_ok();
        found.filter(supported).ok_or_else(none)
    }

    /// The number of a class.
    ///
    /// # Errors
    /// A class that there is not, or more than one of that name.
    pub(crate) fn number(&self, network: &Network, class: &ClassId) -> Result<u32, TermError> {
        let number = match class {
            ClassId::Number(number) => *number,
            ClassId::Name(name) => named(network, name)? as u32,
        };
        if number as usize >= self.count {
            let (network, classes) = (network.name.clone(), self.count);
            return Err(TermError::ClassNumber { network, classes, class: number });
        }
        Ok(number)
    }

    /// The direction of the layer's channels, `channels` of them, in which class `number` is.
    ///
    /// # Errors
    /// [`GraphError::Weights`].
    pub(crate) fn direction(
        &self,
        graph: &Graph,
        number: usize,
        channels: usize,
    ) -> Result<Vec<f32>, GraphError> {
        let mut direction = vec![0.0; channels];
        match self.head {
            Head::Channel => direction[number] = 1.0,
            Head::Row(node) => {
                let node = graph.node(node);
                if let Some(weights) = node.op.weights() {
                    let weights = weights.get();
                    let weights = weights.map_err(|e| GraphError::weights(&node.name, e))?;
                    direction.copy_from_slice(&weights[number * channels..][..channels]);
                }
            }
        }
        Ok(direction)
    }
}

/// How many classes a network tells apart.
///
/// # Errors
/// [`TermError::NoClasses`].
pub fn class_count(network: &Network) -> Result<usize, TermError> {
    Ok(Classes::of(network)?.count)
}

/// The number of a class of a network, by its name or number.
///
/// # Errors
/// A network without classes; a class that there is not, or more than one of that name.
pub fn class_number(network: &Network, class: &ClassId) -> Result<u32, TermError> {
    Classes::of(network)?.number(network, class)
}

/// The node of the classes' scores: what a softmax at the end reads.
fn scores(graph: &Graph, end: NodeId) -> NodeId {
    let node = graph.node(end);
    match node.op {
        Op::Softmax => node.inputs[0],
        _ => end,
    }
}

/// The classes where all that lies between positions and scores is an average and one linear layer, in either
/// order.
fn linear(graph: &Graph, end: NodeId, count: usize) -> Option<Classes> {
    let scores = scores(graph, end);
    let node = graph.node(scores);
    let (node, head) = match &node.op {
        Op::GlobalAveragePool | Op::AveragePool(_) => (node.inputs[0], Head::Channel),
        op @ (Op::Dense(_) | Op::Conv2d(_)) => {
            let pool = graph.node(*node.inputs.first()?);
            let averaged = matches!(pool.op, Op::GlobalAveragePool | Op::AveragePool(_));
            let pointwise = op.window().is_none_or(|window| window.kernel == [1, 1]);
            let map = *pool.inputs.first().filter(|_| averaged && pointwise)?;
            // By position, a fully connected layer after a pool has a weight for each channel.
            let weights = op.weights()?.len();
            (channels(graph, map)? * count == weights).then_some((map, Head::Row(scores)))?
        }
        _ => return None,
    };
    Some(Classes { node, head, count, convolved: None })
}

/// How many channels a node has.
pub(super) fn channels(graph: &Graph, node: NodeId) -> Option<usize> {
    let mut counts: Vec<Option<usize>> = vec![Some(graph.input_channels())];
    for node in &graph.nodes()[1..=node.index()] {
        let inputs: Option<Vec<usize>> =
            node.inputs.iter().map(|input| counts[input.index()]).collect();
        counts.push(inputs.and_then(|inputs| node.op.channels(&inputs)));
    }
    counts[node.index()]
}

/// The class with a name. The case of letters does not count; a whole name or synonym comes before a part of
/// one.
fn named(network: &Network, name: &str) -> Result<usize, TermError> {
    let labels = &network.labels;
    let (class, network) = (name.to_owned(), network.name.clone());
    if labels.is_empty() {
        return Err(TermError::NoNames { network, class });
    }
    // A name can be typed without its spaces.
    let plain = |name: &str| name.trim().to_lowercase().replace('_', " ");
    let wanted = plain(name);
    let lower: Vec<String> = labels.iter().map(|label| plain(label)).collect();
    let synonyms = |label: &str| -> Vec<String> {
        label.split(',').map(|synonym| synonym.trim().to_owned()).collect()
    };
    let matching = |is: &dyn Fn(&str) -> bool| -> Vec<(usize, String)> {
        let found = lower.iter().enumerate().filter(|(_, label)| is(label));
        found.map(|(number, _)| (number, labels[number].clone())).collect()
    };
    let rules: [&dyn Fn(&str) -> bool; 3] =
        [&|label| label == wanted, &|label| synonyms(label).contains(&wanted), &|label| {
            label.contains(&wanted)
        }];
    for rule in rules {
        match &matching(rule)[..] {
            [] => {}
            [(number, _)] => return Ok(*number),
            candidates => {
                let candidates = candidates.to_vec();
                return Err(TermError::AmbiguousClass { class, candidates });
            }
        }
    }
    let score = |label: &String| {
        let whole = alike(&wanted, label);
        synonyms(label).iter().map(|synonym| alike(&wanted, synonym)).fold(whole, f64::max)
    };
    let mut scored: Vec<(f64, usize)> = lower.iter().map(score).zip(0..).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let close = |(score, _): &(f64, usize)| *score >= 0.6 && *score >= best - 0.1;
    let near = scored.into_iter().filter(close).take(SUGGESTIONS);
    let near = near.map(|(_, number)| (number, labels[number].clone())).collect();
    Err(TermError::NoClass { network, class, near })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str) -> Result<usize, TermError> {
        named(&models::squeezenet().unwrap(), name)
    }

    #[test]
    fn classes_are_found_by_their_names() {
        for (name, class) in [
            ("tabby, tabby cat", 281),
            ("Tabby", 281),
            ("tabby CAT", 281),
            ("golden retr", 207),
            ("Tibetan_mastiff", 244),
        ] {
            assert_eq!(number(name), Ok(class), "{name}");
        }
        for (name, said) in [
            ("tabbi", "has no class \"tabbi\": did you mean \"tabby, tabby cat\" (281)?"),
            ("crane", "\"crane\" is 2 classes, 134 (crane) and 517 (crane): use the number"),
            ("xyzzy", "has no class \"xyzzy\""),
        ] {
            let error = number(name).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
        assert!(number("terrier").unwrap_err().to_string().contains("and others: use the number"));
    }

    #[test]
    fn a_class_of_the_built_in_network_is_a_channel_before_its_average() {
        let network = models::squeezenet().unwrap();
        let classes = Classes::of(&network).unwrap();
        assert!(matches!(network.graph.node(classes.node).op, Op::Relu));
        assert!(classes.convolved.is_none());
        let direction = classes.direction(&network.graph, 281, 1000).unwrap();
        assert_eq!((direction[281], direction.iter().sum::<f32>()), (1.0, 1.0));
        let said = classes.number(&network, &ClassId::Number(1000)).unwrap_err().to_string();
        assert_eq!(said, "classes of squeezenet are numbered 0 to 999: there is no 1000");
    }
}
