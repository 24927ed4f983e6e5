//! Reads a model, and asks of its layers what a program asks before it runs them.

use import::ImportError;
use graph::Network;

/// Sees that neither reading nor measuring a network breaks the program.
pub fn ask(network: Result<Network, ImportError>) {
    let Ok(network) = network else { return };
    for layer in network.graph.layers() {
        if let Ok(target) = network.graph.find_target(&layer.name) {
            let _ = network.graph.shapes(&[target], 24, 32);
        }
    }
}
