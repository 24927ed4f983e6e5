//! What came of a check: how far each layer is off, and whether that is too far.

use serde::Serialize;

use crate::exit::{Failure, Fault};

/// The most that an activation may differ.
pub(super) const ACTIVATION: f64 = 1e-5;
/// The most that a gradient may differ, both going back through the ReLUs and maxima as the fast kernels
/// decided them.
pub(super) const GRADIENT: f64 = 1e-4;
/// The largest part of these decisions that may differ: some are all but undecided, and fall the other way
/// with another order of the sums.
pub(super) const CHOICES: f64 = 1e-3;

/// What was compared. Errors are relative, in L2, the largest of all steps; null in JSON if infinite.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) picture: String,
    /// The layers that were dreamt on.
    pub(super) layers: Vec<String>,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) threads: usize,
    /// What is compared with plain loops.
    pub(super) level: String,
    /// The steps of the dream after which the pictures were taken, from 1.
    pub(super) steps: Vec<u64>,
    pub(super) activation_bound: f64,
    pub(super) gradient_bound: f64,
    /// Whether all layers are within the bounds.
    pub(super) agrees: bool,
    pub(super) compared: Vec<Line>,
}

/// One layer, as a dream on it would compute it.
#[derive(Serialize)]
pub(super) struct Line {
    pub(super) layer: String,
    /// What computes it in the largest picture; nothing where it is only a place others write to.
    pub(super) forward: Option<&'static str>,
    /// What takes its gradient on.
    pub(super) backward: Option<&'static str>,
    pub(super) activation_error: f64,
    /// Of the gradient of ½·Σ activation² with respect to the picture.
    pub(super) gradient_error: f64,
    pub(super) agrees: bool,
}

impl Line {
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

impl Report {
    pub(super) fn text(&self) -> String {
        let Report { model, picture, width, height, threads, level, .. } = self;
        let steps: Vec<String> = self.steps.iter().map(u64::to_string).collect();
        let bounds = format!("activation {ACTIVATION:.0e}, gradient {GRADIENT:.0e}");
        let rows = [
            ("network", format!("{model}, {}", self.layers.join(", "))),
            ("dream", format!("{picture}, {width}×{height}, after steps {}", steps.join(", "))),
            ("machine", format!("{threads} threads, {level} against scalar")),
            ("bounds", format!("{bounds} (relative error in L2)")),
        ];
        let mut text: String =
            rows.iter().map(|(name, value)| format!("{name:8} {value}\n")).collect();
        let widths = self.compared.iter().map(|line| line.layer.chars().count());
        let wide = widths.max().unwrap_or(0).max(5);
        text += &format!("\n{:wide$}  forward       backward      activation  gradient\n", "layer");
        for line in &self.compared {
            let Line { layer, activation_error, gradient_error, agrees, .. } = line;
            let (forward, backward) = (line.forward.unwrap_or("-"), line.backward.unwrap_or("-"));
            let mark = if *agrees { "" } else { "  differs" };
            text += &format!(
                "{layer:wide$}  {forward:12}  {backward:12}  {activation_error:10.1e}  \
                 {gradient_error:8.1e}{mark}\n"
            );
        }
        if self.agrees {
            text += &format!("all {} layers agree\n", self.compared.len());
        }
        text
    }

    /// Whether the program is to end well.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let differ: Vec<&str> =
            self.compared.iter().filter(|l| !l.agrees).map(|l| l.layer.as_str()).collect();
        let Some(first) = differ.first() else { return Ok(()) };
        let what = format!(
            "{} of {} layers differ from plain loops by more than they may; the first is {first}",
            differ.len(),
            self.compared.len()
        );
        let way_out =
            "please report it with this table; DEEPDREAM_CPU=scalar dreams with plain loops";
        Err(Failure::new(Fault::Disagreement, what).or(way_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_step_counts_and_ends_the_program_with_its_own_code() {
        let mut good = Line::new("good");
        good.add(9e-6, 9e-5);
        let (mut activation, mut gradient) = (Line::new("bad"), Line::new("worse"));
        activation.add(2e-5, 0.0);
        activation.add(1e-6, 0.0);
        gradient.add(0.0, 2e-4);
        assert_eq!(activation.activation_error, 2e-5);
        let report = |compared: Vec<Line>| Report {
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
        let bad = report(vec![good, activation, gradient]);
        assert_eq!(bad.text().matches("differs").count(), 2);
        let failure = bad.verdict().unwrap_err();
        assert_eq!(failure.fault(), Fault::Disagreement);
        assert!(failure.to_string().contains("2 of 3 layers"), "{failure}");
        assert!(failure.to_string().contains("bad"), "{failure}");
        assert!(report(vec![Line::new("fine")]).verdict().is_ok());
    }
}
