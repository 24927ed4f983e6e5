//! Nodes in an order in which each comes after its inputs; a file may have any.

/// The places of so many nodes, inputs first and otherwise in the order of the file; `inputs` has for each the
/// places of what it reads.
///
/// # Errors
/// A node on a circle.
pub(crate) fn order(inputs: &[Vec<usize>]) -> Result<Vec<usize>, usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; inputs.len()];
    let mut order = Vec::with_capacity(inputs.len());
    for root in 0..inputs.len() {
        // A node being visited, and how many of its inputs have been.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if states[root] == State::New {
            states[root] = State::Open;
            path.push((root, 0));
        }
        while let Some((node, visited)) = path.last_mut() {
            let node = *node;
            let Some(&input) = inputs[node].get(*visited) else {
                states[node] = State::Done;
                order.push(node);
                path.pop();
                continue;
            };
            *visited += 1;
            match states[input] {
                State::New => {
                    states[input] = State::Open;
                    path.push((input, 0));
                }
                State::Open => return Err(input),
                State::Done => {}
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_first() {
        assert_eq!(order(&[vec![1, 2], vec![2, 3], vec![], vec![]]), Ok(vec![2, 3, 1, 0]));
    }

    #[test]
    fn a_circle_is_found() {
        assert_eq!(order(&[vec![2], vec![0], vec![1]]), Err(0));
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let chain: Vec<Vec<usize>> =
            (0..20_000).map(|i| if i == 19_999 { vec![] } else { vec![i + 1] }).collect();
        assert_eq!(order(&chain).unwrap()[0], 19_999);
    }
}
