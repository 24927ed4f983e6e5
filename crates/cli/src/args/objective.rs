//! What a dream climbs towards.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use deepdream::{Term, TermText};

use crate::complete;

/// Arguments about the objective.
#[derive(Debug, Args)]
pub(crate) struct ObjectiveArgs {
    /// Dream on this layer. Repeat it for several. A weight below 0 makes the layer see less. CHANNELS
    /// are numbers, such as 139 or 5+17, or chosen by the picture: average5 and weakest5 give the most
    /// striking dreams, strongest5 the dullest; not5+17 leaves some out. REGION is where, as --mask
    /// names it. Default: the layers chosen for the network.
    #[arg(short, long = "layer", value_name = "NAME[:CHANNELS][@REGION][=WEIGHT]", value_parser = layer)]
    #[arg(help_heading = "Network", add = ArgValueCompleter::new(complete::layers))]
    layers: Vec<String>,
    /// Dream of this class, such as castle, by its name or number. Repeat it for several; together with
    /// layers, each has a share of the dream. On a picture, classes alone take 40 steps on each octave, and
    /// fewer small octaves.
    #[arg(long = "class", value_name = "NAME|NUMBER[@REGION][=WEIGHT]", value_parser = class)]
    #[arg(help_heading = "Network", add = ArgValueCompleter::new(complete::classes))]
    classes: Vec<String>,
}

impl ObjectiveArgs {
    /// The terms that the flags name.
    pub(crate) fn terms(&self) -> Vec<TermText> {
        let layers = self.layers.iter().cloned().map(TermText::Layer);
        layers.chain(self.classes.iter().cloned().map(TermText::Class)).collect()
    }
}

/// Reads `NAME[:CHANNELS][@REGION][=WEIGHT]`, whose name is looked at once the network is known.
fn layer(text: &str) -> Result<String, String> {
    text.parse::<Term>().map(|_| text.to_owned())
}

/// Reads `NAME[@REGION][=WEIGHT]` of a class.
fn class(text: &str) -> Result<String, String> {
    Term::parse_class(text).map(|_| text.to_owned())
}
