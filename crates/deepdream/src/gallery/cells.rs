//! Which dreams a gallery shows.

use std::collections::BTreeSet;

use dream::{Channels, ClassId, Term};
use graph::{Network, Size};

use crate::request::TermText;
use crate::{Error, Fault, Knob, Result, targets};

/// One dream of a gallery.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    /// What it dreams of.
    pub(crate) term: Term,
    /// What is written under it.
    pub(crate) label: String,
    /// Its file's name, without the ending.
    pub(crate) file: String,
}

impl Cell {
    fn new(term: Term, label: String) -> Self {
        let name = match &term.class {
            Some(_) => format!("class {label}"),
            None => term.to_string(),
        };
        // Any letters may be in a name, and files may have few of them.
        let plain = |letter: char| match letter.is_ascii_alphanumeric() || "-.".contains(letter) {
            true => letter,
            false => '_',
        };
        let file: String = name.chars().take(80).map(plain).collect();
        Self { term, label, file }
    }
}

/// The dreams of a gallery: of the channels of a layer that is asked for, of classes, or else of every layer
/// that sees pictures of `size`; and how many layers do not.
///
/// # Errors
/// More than one layer, or channels or classes that are not there.
pub(crate) fn cells(
    network: &Network,
    asked: &[TermText],
    all_classes: bool,
    size: Size,
) -> Result<(Vec<Cell>, usize)> {
    let (cells, left_out) = shown(network, asked, all_classes, size)?;
    let mut distinct: Vec<Cell> = Vec::new();
    let mut names = BTreeSet::new();
    for mut cell in cells {
        if distinct.iter().any(|other| other.term == cell.term) {
            continue;
        }
        // Two names may be one for files, in which not all letters are told apart.
        while !names.insert(cell.file.to_lowercase()) {
            cell.file.push('_');
        }
        distinct.push(cell);
    }
    Ok((distinct, left_out))
}

fn shown(
    network: &Network,
    asked: &[TermText],
    all_classes: bool,
    size: Size,
) -> Result<(Vec<Cell>, usize)> {
    let terms = asked.iter().map(|asked| asked.read(network)).collect::<Result<Vec<Term>>>()?;
    if all_classes {
        let count = dream::class_count(network).map_err(dream::PlanError::from)?;
        let class = |number: u32| Term::class(ClassId::Number(number));
        return Ok(((0..count as u32).map(|number| of_class(network, class(number))).collect(), 0));
    }
    match &terms[..] {
        [] => layers(network, size),
        terms if terms.iter().all(|term| term.class.is_some()) => {
            let number = |term: &Term| {
                let class = term.class.as_ref().expect("they are classes");
                let number = dream::class_number(network, class)?;
                Ok(of_class(network, Term::class(ClassId::Number(number))))
            };
            let cells = terms.iter().map(number).collect::<std::result::Result<_, _>>();
            Ok((cells.map_err(|error: dream::TermError| dream::PlanError::from(error))?, 0))
        }
        [term] => Ok((channels(network, term)?, 0)),
        _ => Err(Error::new(Fault::Usage, "a gallery shows the channels of one layer, or classes")
            .turn(Knob::Layer, "Name one layer.")),
    }
}

fn of_class(network: &Network, term: Term) -> Cell {
    let number = match term.class {
        Some(ClassId::Number(number)) => number as usize,
        _ => unreachable!("classes are resolved"),
    };
    let label = network.labels.get(number).map_or("", String::as_str);
    let short = label.split(',').next().unwrap_or_default();
    Cell::new(term, format!("{number} {short}").trim_end().to_owned())
}

/// Every layer that sees pictures of `size`.
fn layers(network: &Network, size: Size) -> Result<(Vec<Cell>, usize)> {
    let layers = network.graph.layers();
    let usable: Vec<_> = layers
        .iter()
        .filter_map(|layer| Some((layer, network.graph.find_target(&layer.name).ok()?)))
        .collect();
    let seen = usable
        .iter()
        .filter(|(_, node)| network.graph.shapes(&[*node], size.height, size.width).is_ok())
        .map(|(layer, _)| Cell::new(Term::layer(&layer.name), layer.name.clone()));
    let cells: Vec<Cell> = seen.collect();
    if cells.is_empty() {
        let what = format!("the network {} has no layer that sees {size}", network.name);
        return Err(Error::new(Fault::Recipe, what).turn(Knob::Cell, "Make the pictures larger."));
    }
    let left_out = usable.len() - cells.len();
    Ok((cells, left_out))
}

/// The channels of a layer that a term lists, in its order, or all of them.
fn channels(network: &Network, term: &Term) -> Result<Vec<Cell>> {
    targets::find(network, &term.layer)?;
    let layers = network.graph.layers();
    let count = layers.iter().find(|layer| layer.name == term.layer).map(|layer| layer.channels);
    let count = count.unwrap_or_default() as u32;
    let list: Vec<u32> = match &term.channels {
        None => (0..count).collect(),
        Some(Channels::Listed(list)) => list.clone(),
        Some(Channels::Not(list)) => (0..count).filter(|it| !list.contains(it)).collect(),
        Some(chosen) => {
            let what = format!("a gallery shows channels by number, not \"{chosen}\"");
            return Err(Error::new(Fault::Usage, what).hint("List them, or leave the list out."));
        }
    };
    if let Some(&channel) = list.iter().find(|channel| **channel >= count) {
        let (layer, channels) = (term.layer.clone(), count as usize);
        let error = dream::TermError::NoChannel { layer, channels, channel };
        return Err(dream::PlanError::from(error).into());
    }
    let cell = |channel: u32| {
        let term = Term::layer(&term.layer).with_channels(Channels::Listed(vec![channel]));
        Cell::new(term, channel.to_string())
    };
    Ok(list.into_iter().map(cell).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: &[TermText], all_classes: bool) -> Result<(Vec<Cell>, usize)> {
        let network = models::squeezenet().unwrap();
        cells(&network, asked, all_classes, Size::new(64, 64))
    }

    fn layer(text: &str) -> TermText {
        TermText::Layer(text.into())
    }

    #[test]
    fn a_gallery_shows_layers_channels_or_classes() {
        let (layers, left_out) = of(&[], false).unwrap();
        assert_eq!(left_out, 0);
        assert!(layers.iter().any(|cell| cell.label == "fire9/concat"));
        assert!(layers.iter().all(|cell| !cell.file.contains('/')));
        let (channels, _) = of(&[layer("fire2/squeeze1x1")], false).unwrap();
        assert_eq!(channels.len(), 16);
        let (some, _) = of(&[layer("fire2/squeeze1x1:9+3")], false).unwrap();
        let names: Vec<&str> = some.iter().map(|cell| &*cell.file).collect();
        assert_eq!(names, ["fire2_squeeze1x1_9", "fire2_squeeze1x1_3"]);
        let (classes, _) = of(&[], true).unwrap();
        assert_eq!((classes.len(), &*classes[281].label), (1000, "281 tabby"));
        let (class, _) = of(&[TermText::Class("Tabby".into())], false).unwrap();
        assert_eq!(class, classes[281..282]);
    }

    #[test]
    fn what_it_cannot_show_is_refused() {
        let refused = |asked: &[TermText]| of(asked, false).unwrap_err().to_string();
        assert!(refused(&[layer("conv1"), layer("pool1")]).contains("one layer"));
        assert!(refused(&[layer("conv1:64")]).contains("there is no 64"));
        assert!(refused(&[layer("conv1:average5")]).contains("by number"));
        assert!(refused(&[layer("conv9")]).contains("has no layer"));
    }
}
