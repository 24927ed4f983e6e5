//! Names that people know layers by: the modules of the program that an exporter saw.

use std::collections::HashMap;

use graph::NodeId;

use super::node::Node;
use super::reader::{Reader, Value};

/// The most modules inside each other that are looked at.
const MAX_DEPTH: usize = 32;

/// Gives nodes the names of their modules where the exporter notes these: `layer1.0.relu`,
/// `layer1.0.relu_1`, and `layer1.0/Add` of what is in no module of its own.
pub(super) fn name(nodes: &mut [Node]) {
    let mut used: HashMap<String, usize> = HashMap::new();
    for node in nodes {
        let Some(module) = node.scopes.last() else { continue };
        let last = module.rsplit('.').next().unwrap_or(module).to_lowercase();
        let own = last.contains(&node.op.to_lowercase()) || last.starts_with("bn");
        let name = if own { module.clone() } else { format!("{module}/{}", node.op) };
        let count = used.entry(name.clone()).or_insert(0);
        node.name = if *count == 0 { name } else { format!("{name}_{count}") };
        *count += 1;
    }
}

/// Lets each module's name mean what it gives: the last of its nodes, unless something else has the name.
pub(super) fn alias(reader: &mut Reader, nodes: &[Node]) {
    let mut modules: HashMap<String, NodeId> = HashMap::new();
    for node in nodes {
        let value = node.outputs.first().and_then(|output| reader.get(output));
        let Some(Value::Node(id, _)) = value else { continue };
        let names =
            if node.scopes.is_empty() { modules_of(&node.name) } else { node.scopes.clone() };
        for module in names.into_iter().take(MAX_DEPTH) {
            modules.insert(module, id);
        }
    }
    for (module, id) in modules {
        if !reader.assembly.has(&module) {
            reader.assembly.alias(&module, id);
        }
    }
}

/// The modules in a name as PyTorch's older exporter writes it: `/layer1/layer1.0/conv1/Conv` is in `layer1`,
/// `layer1.0` and `layer1.0.conv1`.
fn modules_of(name: &str) -> Vec<String> {
    let Some(path) = name.strip_prefix('/') else { return Vec::new() };
    let mut segments: Vec<&str> = path.split('/').take(MAX_DEPTH).collect();
    segments.pop();
    let (mut modules, mut module, mut last) = (Vec::new(), String::new(), "");
    for segment in segments {
        match segment.strip_prefix(last).filter(|rest| rest.starts_with('.') && !last.is_empty()) {
            Some(rest) => module.push_str(rest),
            None if module.is_empty() => module.push_str(segment),
            None => {
                module.push('.');
                module.push_str(segment);
            }
        }
        last = segment;
        modules.push(module.clone());
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_read_out_of_names() {
        let name = "/net/layer1/layer1.0/relu_1/Relu";
        let modules = ["net", "net.layer1", "net.layer1.0", "net.layer1.0.relu_1"];
        assert_eq!(modules_of(name), modules);
        assert_eq!(
            modules_of("/features/features.1/features.1.2/Add").last().unwrap(),
            "features.1.2"
        );
        assert!(modules_of("gpu_0/conv1").is_empty());
    }
}
