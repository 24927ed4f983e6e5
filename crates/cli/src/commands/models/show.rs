//! `models show`: all that is known of one network.

use deepdream::Result;
use deepdream::models::{Origin, Store};
use graph::{ChannelOrder, InputSpec};
use serde::Serialize;

use super::{BUILT_IN_LICENCE, Standing, default_layers, published};
use crate::console::{self, print};

/// All that is known of a network.
#[derive(Serialize)]
struct Shown {
    name: String,
    /// What it is, of one in the catalogue.
    title: Option<&'static str>,
    description: Option<&'static str>,
    /// `null` for a file that is not in the store.
    standing: Option<Standing>,
    /// The model file, of one that is here.
    file: Option<String>,
    source: Option<String>,
    /// SHA-256 of the model file here, or of what is published, perhaps only its beginning.
    sha256: Option<String>,
    licence: Option<String>,
    /// The licence's text, if it is here.
    licence_file: Option<String>,
    #[serde(flatten)]
    loaded: Option<Loaded>,
}

/// What a network says of itself that is here.
#[derive(Serialize)]
struct Loaded {
    input: Input,
    layers: usize,
    default_layers: Vec<String>,
    classes: usize,
}

/// What a network takes.
#[derive(Serialize)]
struct Input {
    channel_order: &'static str,
    /// Subtracted from each channel of 0–255, in that order.
    mean: [f32; 3],
    /// What each is multiplied by after that.
    scale: [f32; 3],
}

/// Shows a network.
pub(super) fn show(store: &Store, name: &str, json: bool) -> Result<()> {
    let shown = Shown::of(store, name)?;
    if json { console::json(&shown) } else { print(shown.text()) }
}

impl Shown {
    fn of(store: &Store, name: &str) -> Result<Self> {
        let known = deepdream::models::known(name);
        let nothing = Self {
            name: name.to_owned(),
            title: known.map(|known| known.title),
            description: known.map(|known| known.description),
            standing: None,
            file: None,
            source: None,
            sha256: None,
            licence: None,
            licence_file: None,
            loaded: None,
        };
        match published().find(|(known, _)| known.name == name && !store.is_installed(name)) {
            Some((_, source)) => Ok(Self {
                standing: Some(Standing::Known),
                source: Some(source.url.to_owned()),
                sha256: source.checksum.parts().map(|(_, digits)| digits.to_owned()),
                licence: Some(source.licence.to_owned()),
                ..nothing
            }),
            None => nothing.loaded(store),
        }
    }

    /// The same of a network that is here.
    fn loaded(self, store: &Store) -> Result<Self> {
        let (network, origin) = store.resolve(Some(&self.name))?;
        let InputSpec { order, mean, scale } = network.input;
        let channel_order = match order {
            ChannelOrder::Rgb => "rgb",
            ChannelOrder::Bgr => "bgr",
        };
        let shown = Self {
            sha256: Some(network.hash.clone()),
            loaded: Some(Loaded {
                input: Input { channel_order, mean, scale },
                layers: network.graph.layers().len(),
                default_layers: default_layers(&network),
                classes: network.labels.len(),
            }),
            ..self
        };
        Ok(match origin {
            Origin::BuiltIn => Self {
                standing: Some(Standing::BuiltIn),
                licence: Some(BUILT_IN_LICENCE.to_owned()),
                ..shown
            },
            Origin::File(path) => Self { file: Some(path.display().to_string()), ..shown },
            Origin::Installed => {
                let manifest = store.manifest(&shown.name)?;
                let folder = store.folder(&shown.name);
                let path = |file: &String| folder.join(file).display().to_string();
                Self {
                    standing: Some(Standing::Installed),
                    file: Some(path(&manifest.file)),
                    licence_file: manifest.licence_file.as_ref().map(path),
                    source: Some(manifest.source),
                    licence: manifest.licence,
                    ..shown
                }
            }
        })
    }

    fn text(&self) -> String {
        let name = &self.name;
        let mut text = String::new();
        let mut line = |what: &str, value: &str| text += &format!("{what:9} {value}\n");
        if let (Some(title), Some(description)) = (self.title, self.description) {
            line("network", &format!("{title}: {description}"));
        }
        match (&self.file, self.standing) {
            (Some(file), _) => line("file", file),
            (None, Some(Standing::Known)) => {
                line("file", &format!("not installed; `deepdream models pull {name}` fetches it"));
            }
            (None, _) => line("file", "built into the program"),
        }
        if let Some(source) = &self.source {
            line("source", source);
        }
        match &self.sha256 {
            Some(digits) => line("sha256", digits),
            None => line("checksum", "not published"),
        }
        if self.standing.is_some() {
            line("licence", self.licence.as_deref().unwrap_or("not known"));
        }
        if let Some(file) = &self.licence_file {
            line("", file);
        }
        if let Some(Loaded { input, layers, default_layers, classes }) = &self.loaded {
            let Input { channel_order, mean, scale } = input;
            line("input", &format!("{channel_order}, 0–255, minus {mean:?}, times {scale:?}"));
            line("layers", &format!("{layers}, listed by `deepdream layers --model {name}`"));
            line("default", &default_layers.join(", "));
            line("classes", &classes.to_string());
        }
        text
    }
}
