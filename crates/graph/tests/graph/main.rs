//! The reference is right: each operation by finite differences, whole networks by the suite that all
//! backends pass.

mod slopes;

use graph::reference::Reference;

#[test]
fn the_reference_conforms_in_single_precision() {
    testkit::conformance::check(&Reference::<f32>::default());
}

#[test]
fn the_reference_conforms_in_double_precision() {
    testkit::conformance::check(&Reference::<f64>::default());
}
