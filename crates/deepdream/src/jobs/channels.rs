//! A layer's channels, ranked by how strongly they answer a photo, and what they make of it.

use std::path::PathBuf;

use dream::{Channels, Machine};
use graph::Network;
use media::Image;
use serde::Serialize;

use super::GalleryJob;
use crate::gallery::{CHANNELS, unguided};
use crate::inspect::{channel_answers, no_layer};
use crate::{CancelToken, DreamRequest, Events, NetworkChoice, Result, TermText, picture};

/// Ranks the channels of the layer that the recipe's request names.
#[derive(Clone, Debug, Default)]
pub struct ChannelsJob {
    /// The photo.
    pub photo: PathBuf,
    /// The one place that counts, right and down in shares of the photo. Default: the mean over the photo.
    pub at: Option<[f64; 2]>,
    /// How many channels the sheet shows, the strongest first.
    pub show: u32,
    /// The sheet to write, as [`GalleryJob`] does. Default: none.
    pub output: Option<PathBuf>,
    /// Whether files that exist may be replaced. Default: they are an error.
    pub overwrite: bool,
    /// The network, the layer in its recipe's terms, the recipe of the sheet's pictures, and the machine.
    pub dream: DreamRequest,
}

/// A layer's channels, strongest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// The layer.
    pub layer: String,
    /// All of its channels.
    pub channels: Vec<RankedChannel>,
}

/// A channel, and how strongly it answers a photo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RankedChannel {
    /// Its number, from 0.
    pub channel: usize,
    /// The mean of its values, or its value at the place.
    pub answer: f64,
}

impl ChannelsJob {
    /// Ranks the channels, and writes the sheet if one is wanted.
    ///
    /// # Errors
    /// A photo that cannot be read, no such layer, or a sheet that cannot be written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Ranking> {
        let base = self.dream.base()?;
        let run = crate::progress::Run::new(events, cancel);
        let network = self.dream.open_network(base.as_ref(), run)?;
        let [TermText::Layer(text)] = &self.dream.recipe.terms[..] else {
            return Err(no_layer());
        };
        let term = TermText::Layer(text.clone()).read(&network)?;
        if !self.dream.files.guides.is_empty() {
            return Err(unguided(CHANNELS));
        }
        let limits = &self.dream.limits;
        let machine = limits.machine()?;
        let image = picture::read(&self.photo, limits.memory())?;
        let ranking = ranking(&network, &term.layer, &image, self.at, &machine)?;
        if let Some(output) = &self.output {
            let shown = ranking.channels.iter().take(self.show.max(1) as usize);
            let numbers = shown.map(|ranked| ranked.channel as u32).collect();
            let mut dream = self.dream.clone();
            dream.network = NetworkChoice::Loaded(network);
            let listed = term.with_channels(Channels::Listed(numbers));
            dream.recipe.terms = vec![TermText::Read(listed)];
            let sheet = GalleryJob {
                photo: Some(self.photo.clone()),
                output: Some(output.clone()),
                overwrite: self.overwrite,
                dream,
                ..GalleryJob::default()
            };
            sheet.run(events, cancel)?;
        }
        Ok(ranking)
    }
}

/// A layer's channels, ranked by how strongly they answer an image, everywhere or at a place.
///
/// # Errors
/// As [`channel_answers`].
pub(crate) fn ranking(
    network: &Network,
    layer: &str,
    image: &Image,
    at: Option<[f64; 2]>,
    machine: &Machine,
) -> Result<Ranking> {
    let answers = channel_answers(network, layer, image, at, machine)?;
    let ranked = |(channel, answer)| RankedChannel { channel, answer };
    let mut channels: Vec<RankedChannel> = answers.into_iter().enumerate().map(ranked).collect();
    // The sort is stable: of equal ones the lower number comes first.
    channels.sort_by(|a, b| b.answer.total_cmp(&a.answer));
    Ok(Ranking { layer: layer.to_owned(), channels })
}
