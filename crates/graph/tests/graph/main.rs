//! The reference is right: each operation by finite differences, whole networks by the suite that all
//! backends pass.

mod layers;
mod parts;
mod slopes;

use graph::reference::Reference;

#[test]
fn the_reference_conforms() {
    testkit::conformance::check(&Reference::<f32>::default());
}
