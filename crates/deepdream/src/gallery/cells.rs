//! Which dreams a gallery shows.

use std::collections::BTreeSet;

use dream::{Channels, ClassId, Term};
use graph::{Network, Size};

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

/// What a gallery is asked to show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// Every layer, which looks to the guides of this term and counts in its region.
    EveryLayer(&'a Term),
    /// Every class.
    EveryClass,
    /// The channels of one layer, or classes.
    Terms(&'a [Term]),
}

/// The dreams of a gallery: of what is asked for, as far as it sees pictures of `size`; and how many layers do
/// not.
///
/// # Errors
/// More than one layer, channels or classes that are not there, or such with a guide.
pub(crate) fn cells(network: &Network, asked: Asked<'_>, size: Size) -> Result<(Vec<Cell>, usize)> {
    let (cells, left_out) = shown(network, asked, size)?;
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

/// What is shown of a layer.
pub(crate) const CHANNELS: &str = "the channels of a layer";

fn shown(network: &Network, asked: Asked<'_>, size: Size) -> Result<(Vec<Cell>, usize)> {
    let terms = match asked {
        Asked::EveryLayer(like) => return layers(network, like, size),
        Asked::EveryClass => {
            let count = dream::class_count(network).map_err(dream::PlanError::from)?;
            let class = |number: u32| Term::class(ClassId::Number(number));
            let cells = (0..count as u32).map(|number| of_class(network, class(number)));
            return Ok((cells.collect(), 0));
        }
        Asked::Terms(terms) => terms,
    };
    match terms {
        terms if terms.iter().all(|term| term.class.is_some()) => {
            let number = |term: &Term| {
                let class = term.class.as_ref().expect("they are classes");
                let class = Some(ClassId::Number(dream::class_number(network, class)?));
                Ok(of_class(network, Term { class, ..term.clone() }))
            };
            let cells = terms.iter().map(number).collect::<std::result::Result<_, _>>();
            Ok((cells.map_err(|error: dream::TermError| dream::PlanError::from(error))?, 0))
        }
        [term] => Ok((channels(network, term)?, 0)),
        _ => Err(Error::new(Fault::Usage, "a gallery shows the channels of one layer, or classes")
            .turn(Knob::Layer, "Name one layer.")),
    }
}

/// The error where what is shown, such as classes, is to look to a guide.
pub(crate) fn unguided(what: &str) -> Error {
    Error::new(Fault::Usage, format!("{what} cannot look to a guide"))
        .turn(Knob::Field("guides"), "Leave the guide out.")
        .turn(Knob::Layer, "Or see every layer look to it: name none.")
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
fn layers(network: &Network, like: &Term, size: Size) -> Result<(Vec<Cell>, usize)> {
    let term = |layer: &str| {
        let alone = Term { region: like.region.clone(), ..Term::layer(layer) };
        match like.guides.is_empty() {
            true => alone,
            false => Term {
                guides: like.guides.clone(),
                pick: like.pick,
                measure: like.measure,
                cosine: like.cosine,
                ..alone
            },
        }
    };
    let layers = network.graph.layers();
    let usable: Vec<_> = layers
        .iter()
        .filter_map(|layer| Some((layer, network.graph.find_target(&layer.name).ok()?)))
        .collect();
    let seen = usable
        .iter()
        .filter(|(_, node)| network.graph.shapes(&[*node], size.height, size.width).is_ok())
        .map(|(layer, _)| Cell::new(term(&layer.name), layer.name.clone()));
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
    if !term.guides.is_empty() {
        return Err(unguided(CHANNELS));
    }
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
        let term = term.clone().with_channels(Channels::Listed(vec![channel]));
        Cell::new(term, channel.to_string())
    };
    Ok(list.into_iter().map(cell).collect())
}

#[cfg(test)]
mod tests {
    use dream::Pick;

    use super::*;

    fn of(asked: Asked<'_>) -> Result<(Vec<Cell>, usize)> {
        let network = models::squeezenet().unwrap();
        cells(&network, asked, Size::new(64, 64))
    }

    fn layer(text: &str) -> Term {
        text.parse().unwrap()
    }

    #[test]
    fn a_gallery_shows_layers_channels_or_classes() {
        let (layers, left_out) = of(Asked::EveryLayer(&Term::default())).unwrap();
        assert_eq!(left_out, 0);
        assert!(layers.iter().any(|cell| cell.label == "fire9/concat"));
        assert!(layers.iter().all(|cell| !cell.file.contains('/')));
        let (channels, _) = of(Asked::Terms(&[layer("fire2/squeeze1x1")])).unwrap();
        assert_eq!(channels.len(), 16);
        let (some, _) = of(Asked::Terms(&[layer("fire2/squeeze1x1:9+3")])).unwrap();
        let names: Vec<&str> = some.iter().map(|cell| &*cell.file).collect();
        assert_eq!(names, ["fire2_squeeze1x1_9", "fire2_squeeze1x1_3"]);
        let (classes, _) = of(Asked::EveryClass).unwrap();
        assert_eq!((classes.len(), &*classes[281].label), (1000, "281 tabby"));
        let tabby = Term::parse_class("Tabby").unwrap();
        let (class, _) = of(Asked::Terms(&[tabby])).unwrap();
        assert_eq!(class, classes[281..282]);
    }

    #[test]
    fn cells_keep_regions_and_guides() {
        let (channels, _) = of(Asked::Terms(&[layer("conv1:3+5@sky=-1")])).unwrap();
        assert_eq!(channels[1].term, layer("conv1:5@sky=-1"));
        let class = Term::parse_class("tabby@sky").unwrap();
        let (classes, _) = of(Asked::Terms(&[class])).unwrap();
        assert_eq!(classes[0].term, Term::parse_class("281@sky").unwrap());
        let like = Term { pick: Pick::Average, ..layer("conv1@sky=2").towards(["flowers"]) };
        let (layers, _) = of(Asked::EveryLayer(&like)).unwrap();
        let wanted = Term { layer: "fire9/concat".into(), weight: 1.0, ..like };
        assert!(layers.iter().any(|cell| cell.term == wanted));
    }

    #[test]
    fn what_it_cannot_show_is_refused() {
        let refused = |asked: &[Term]| of(Asked::Terms(asked)).unwrap_err().to_string();
        assert!(refused(&[layer("conv1"), layer("pool1")]).contains("one layer"));
        assert!(refused(&[layer("conv1:64")]).contains("there is no 64"));
        assert!(refused(&[layer("conv1:average5")]).contains("by number"));
        assert!(refused(&[layer("conv9")]).contains("has no layer"));
        assert!(refused(&[layer("conv1").towards(["a"])]).contains("cannot look to a guide"));
    }
}
