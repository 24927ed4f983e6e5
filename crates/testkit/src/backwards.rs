//! What several backward passes after one forward pass have to give.

use std::sync::Arc;

use graph::{Backwards, Executable, OutputGradient, Tensor};

/// Backward from each target's own activation, halved, from what is `given`, and from the first again, all after
/// one forward pass: to the bit what each gives by itself. Returns the gradients.
pub(crate) fn backwards_of_one_forward(
    executable: &Arc<dyn Executable>,
    image: &Tensor,
    given: &[Tensor],
) -> [Tensor; 3] {
    let size = image.shape.size();
    let own = vec![OutputGradient::Activation { weight: 0.5 }; given.len()];
    let given: Vec<_> = given.iter().map(OutputGradient::Gradient).collect();
    let mut once = Arc::clone(executable).session(size).unwrap();
    let mut many = Arc::clone(executable).session_for(size, Backwards::Many).unwrap();
    let needed =
        [Backwards::One, Backwards::Many].map(|it| executable.memory_for(size, it).unwrap());
    assert!(needed[0] <= needed[1], "{needed:?}");
    many.forward(image).unwrap();
    [&own, &given, &own].map(|outputs| {
        let mut found = [Tensor::zeros(image.shape), Tensor::zeros(image.shape)];
        once.forward(image).unwrap();
        once.backward(outputs, &mut found[0]).unwrap();
        many.backward(outputs, &mut found[1]).unwrap();
        let [expected, found] = found;
        assert!(found == expected, "a backward pass is not what it is after a forward pass");
        found
    })
}
