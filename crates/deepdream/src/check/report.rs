//! What came of a check: how far each layer is off, and whether that is too far.

use serde::Serialize;

use crate::{Error, Fault, Result};

/// The most that an activation may differ.
pub(super) const ACTIVATION: f64 = 1e-5;
/// The most that a gradient may differ, both going back through the ReLUs and maxima as the fast kernels
/// decided them.
pub(super) const GRADIENT: f64 = 1e-4;
/// The largest part of these decisions that may differ: some are all but undecided, and fall the other way
/// with another order of the sums.
pub(super) const CHOICES: f64 = 1e-3;

/// What was compared. Errors are relative, in L2, the largest of all steps; null in JSON if infinite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// The network.
    pub model: String,
    /// What was dreamt on.
    pub picture: String,
    /// The layers that were dreamt on.
    pub layers: Vec<String>,
    /// Columns of the dream.
    pub width: usize,
    /// Rows of the dream.
    pub height: usize,
    /// How many threads shared the work.
    pub threads: usize,
    /// What is compared with plain loops.
    pub level: String,
    /// The steps of the dream after which the pictures were taken, from 1.
    pub steps: Vec<u64>,
    /// The most an activation may differ.
    pub activation_bound: f64,
    /// The most a gradient may differ.
    pub gradient_bound: f64,
    /// Whether all layers are within the bounds.
    pub agrees: bool,
    /// Every layer up to those.
    pub compared: Vec<ComparedLayer>,
}

/// One layer, as a dream on it would compute it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedLayer {
    /// Its name.
    pub layer: String,
    /// What computes it in the largest picture; nothing where it is only a place others write to.
    pub forward: Option<&'static str>,
    /// What takes its gradient on.
    pub backward: Option<&'static str>,
    /// Of the activation.
    pub activation_error: f64,
    /// Of the gradient of ½·Σ activation² with respect to the picture.
    pub gradient_error: f64,
    /// Whether both are within the bounds.
    pub agrees: bool,
}

impl ComparedLayer {
    /// A layer that nothing is known against yet.
    pub(super) fn new(name: &str) -> Self {
        Self {
            layer: name.to_owned(),
            forward: None,
            backward: None,
            activation_error: 0.0,
            gradient_error: 0.0,
            agrees: true,
        }
    }

    /// Takes in the errors on one more picture.
    pub(super) fn add(&mut self, activation: f64, gradient: f64) {
        self.activation_error = self.activation_error.max(activation);
        self.gradient_error = self.gradient_error.max(gradient);
        self.agrees = self.activation_error <= ACTIVATION && self.gradient_error <= GRADIENT;
    }
}

impl CheckReport {
    /// Whether all layers agree.
    ///
    /// # Errors
    /// The first layer that does not.
    pub fn verdict(&self) -> Result<()> {
        let differ: Vec<&str> =
            self.compared.iter().filter(|l| !l.agrees).map(|l| l.layer.as_str()).collect();
        let Some(first) = differ.first() else { return Ok(()) };
        let what = format!(
            "{} of {} layers differ from plain loops by more than they may; the first is {first}",
            differ.len(),
            self.compared.len()
        );
        Err(Error::new(Fault::Kernels, what)
            .hint("Please report it with this table.")
            .hint("Set DEEPDREAM_CPU=scalar to dream with plain loops until then."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_step_counts_and_is_a_fault_of_its_own() {
        let mut good = ComparedLayer::new("good");
        good.add(9e-6, 9e-5);
        let (mut activation, mut gradient) =
            (ComparedLayer::new("bad"), ComparedLayer::new("worse"));
        activation.add(2e-5, 0.0);
        activation.add(1e-6, 0.0);
        gradient.add(0.0, 2e-4);
        assert_eq!(activation.activation_error, 2e-5);
        let report = |compared: Vec<ComparedLayer>| CheckReport {
            model: String::new(),
            picture: String::new(),
            layers: Vec::new(),
            width: 1,
            height: 1,
            threads: 1,
            level: String::new(),
            steps: Vec::new(),
            activation_bound: ACTIVATION,
            gradient_bound: GRADIENT,
            agrees: compared.iter().all(|line| line.agrees),
            compared,
        };
        let error = report(vec![good, activation, gradient]).verdict().unwrap_err();
        assert_eq!(error.fault(), Fault::Kernels);
        assert!(error.message().contains("2 of 3 layers"), "{error}");
        assert!(error.message().contains("bad"), "{error}");
        assert!(report(vec![ComparedLayer::new("fine")]).verdict().is_ok());
    }
}
