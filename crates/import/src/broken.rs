//! What all readers' tests against broken files share.

use graph::Graph;

/// Calls `f` with `count` copies of `bytes`, each broken elsewhere: bits flipped, bytes replaced,
/// doubled or left out. The same each time.
pub(crate) fn mutated(bytes: &[u8], count: usize, f: impl Fn(Vec<u8>)) {
    // Marsaglia's xorshift, 64 bits.
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut below = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most as u64) as usize
    };
    for _ in 0..count {
        let mut copy = bytes.to_vec();
        for _ in 0..=below(4) {
            let (at, change) = (below(copy.len()), below(256) as u8);
            match below(4) {
                0 => copy[at] ^= 1 << (change % 8),
                1 => copy[at] = change,
                2 => copy.insert(at, change),
                _ if copy.len() > 1 => drop(copy.remove(at)),
                _ => {}
            }
        }
        f(copy);
    }
}

/// Asks all that a program asks of a graph before it runs it.
pub(crate) fn measured(graph: &Graph) {
    for layer in graph.layers() {
        if let Ok(target) = graph.find_target(&layer.name) {
            let _ = graph.shapes(&[target], 24, 32);
        }
    }
}
