//! One dream in memory: a builder over the recipe, and what comes of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dream::{Checkpoint, NoiseStart, Plan, Preset, Recipe, Term};
use graph::Network;
use media::{Image, ImageFormat};

use crate::output::Output;
use crate::picture::{self, Start, Studio, alone};
use crate::progress::Run;
use crate::request::field;
use crate::{CancelToken, DreamRequest, Event, Events, RecipeSource, Result};

/// Dreams on images with one network.
///
/// It starts from the recipe that was chosen for the network; each method changes a part of that. What
/// is wrong is said by [`Self::dream`], before any work.
///
/// ```
/// # fn main() -> deepdream::Result<()> {
/// # let network = deepdream::models::squeezenet()?;
/// let dreamer = deepdream::Dreamer::new(&network)
///     .layer("fire3/concat")
///     .weighted_layer("fire4/concat", 0.5)
///     .set("octaves.count", "1")
///     .set("ascent.iterations", "1");
/// let dream = dreamer.seed(7).dream_noise(48, 32)?;
/// assert_eq!(dream.image().size().width, 48);
/// assert_eq!(dream.recipe().objective[1].weight, 0.5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Dreamer {
    network: Network,
    request: DreamRequest,
    layers: Vec<Term>,
    events: Arc<dyn Events>,
    cancel: CancelToken,
}

impl Dreamer {
    /// A dreamer with this network, whose weights it shares.
    pub fn new(network: &Network) -> Self {
        Self {
            network: network.clone(),
            request: DreamRequest::default(),
            layers: Vec::new(),
            events: Arc::new(()),
            cancel: CancelToken::new(),
        }
    }

    /// Dreams on this layer; repeated, on all of them. Default: the layers chosen for the network.
    #[must_use]
    pub fn layer(self, name: impl Into<String>) -> Self {
        self.weighted_layer(name, 1.0)
    }

    /// Dreams on this layer as much as `weight` says: one below 0 calms it.
    #[must_use]
    pub fn weighted_layer(mut self, name: impl Into<String>, weight: f32) -> Self {
        self.layers.push(Term::layer(name).weighing(weight));
        self
    }

    /// Dreams on this term; repeated, on all of them. Default: the layers chosen for the network.
    #[must_use]
    pub fn term(mut self, term: Term) -> Self {
        self.layers.push(term);
        self
    }

    /// Gives the guide called `name` a picture, whose forms the dream takes. Unless a term names it, all layers
    /// look to it, or the one that suits guides if none is named.
    #[must_use]
    pub fn guide(mut self, name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        self.request.files.guides.insert(name.into(), file.into());
        self
    }

    /// Gives the region called `name` a mask: a picture that is white where its terms count. Terms that name no
    /// region are in the one called `mask`, if there is one.
    #[must_use]
    pub fn mask(mut self, name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        self.request.files.masks.insert(name.into(), file.into());
        self
    }

    /// Sets the seed of all that is random. Default: 0.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.set("seed", &seed.to_string())
    }

    /// Sets the longest side of the dream in pixels. Default: the image's own size.
    #[must_use]
    pub fn size(self, longest: u32) -> Self {
        self.set("size", &longest.to_string())
    }

    /// Sets any field of the recipe, by its path. The value is TOML; a word needs no quotes.
    #[must_use]
    pub fn set(mut self, path: &str, value: &str) -> Self {
        self.request.recipe.set(path, value);
        self
    }

    /// Starts from the rules and units of a known program.
    #[must_use]
    pub fn preset(mut self, preset: Preset) -> Self {
        self.request.recipe.preset = Some(preset);
        self
    }

    /// Starts from a recipe; what other methods set changes it.
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.request.recipe.base = Some(RecipeSource::Recipe(Box::new(recipe)));
        self
    }

    /// Tells `events` how far the dream is.
    #[must_use]
    pub fn events(self, events: impl Events + 'static) -> Self {
        Self { events: Arc::new(events), ..self }
    }

    /// Shows what the dream looks like in events, at most once `every` so often. Default: never.
    #[must_use]
    pub fn previews(mut self, every: Duration) -> Self {
        self.request.previews = Some(every);
        self
    }

    /// Stops the dream once the token is cancelled.
    #[must_use]
    pub fn cancel(self, token: &CancelToken) -> Self {
        Self { cancel: token.clone(), ..self }
    }

    /// Sets how many threads share the work, which does not change the dream. Default: one for each
    /// processor.
    #[must_use]
    pub fn threads(mut self, count: usize) -> Self {
        self.request.limits.threads = Some(count);
        self
    }

    /// Sets how many bytes of memory a dream may take. Default: what is free.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.request.limits.memory = Some(bytes);
        self
    }

    /// Dreams on an image; its transparency and its bit depth stay.
    ///
    /// # Errors
    /// A layer, a field or a value that does not fit, too little memory, or a cancelled token.
    pub fn dream(&self, image: &Image) -> Result<Dream> {
        self.run("the image", Start::Image(image.clone()))
    }

    /// Dreams on noise, which the recipe's seed decides.
    ///
    /// # Errors
    /// As [`Self::dream`].
    pub fn dream_noise(&self, width: u32, height: u32) -> Result<Dream> {
        self.run("the noise", Start::Noise(NoiseStart { width, height }))
    }

    /// Dreams on noise in as many pictures as the recipe's `pictures` says, together: each has a seed of its own,
    /// one more than that of the one before, and they keep apart as far as its `diversity` says.
    ///
    /// # Errors
    /// As [`Self::dream`].
    pub fn dream_together(&self, width: u32, height: u32) -> Result<Vec<Dream>> {
        let (name, start) = ("the noise", Start::Noise(NoiseStart { width, height }));
        self.plan_and(name, start, true, |studio, _, plan| {
            let images = studio.dream_together(name, plan)?;
            studio.run.event(Event::Done);
            let dream = |image| Dream { image, recipe: plan.recipe().clone() };
            Ok(images.into_iter().map(dream).collect())
        })
    }

    /// Dreams on an image from where an earlier dream on it stood, or from the beginning, until the dream is
    /// whole or the token is cancelled. The bytes are those of a dream that never stopped.
    ///
    /// A dream that is whole goes on with a larger [`Self::size`]: a preview at the recipe's
    /// `octaves.anchor` is the beginning of every larger dream.
    ///
    /// # Errors
    /// A checkpoint of another image or recipe, where that can be told; and as [`Self::dream`], but that a
    /// cancelled token is no error.
    pub fn dream_from(&self, image: &Image, checkpoint: Option<Checkpoint>) -> Result<Unfinished> {
        let name = "the image";
        let start = Start::Image(image.clone());
        self.plan_and(name, start, false, |studio, start, plan| {
            let (checkpoint, finish) = studio.dream_from(name, start, plan, checkpoint)?;
            let dream = match checkpoint.is_whole(plan) {
                true => {
                    let image = finish.image(plan, checkpoint.picture().clone())?;
                    studio.run.event(Event::Done);
                    Some(Dream { image, recipe: plan.recipe().clone() })
                }
                false => None,
            };
            Ok(Unfinished { dream, checkpoint })
        })
    }

    fn run(&self, name: &str, start: Start) -> Result<Dream> {
        self.plan_and(name, start, false, |studio, start, plan| {
            let image = studio.dream(name, start, plan)?;
            studio.run.event(Event::Done);
            Ok(Dream { image, recipe: plan.recipe().clone() })
        })
    }

    /// Makes the plan, and what is to be made by it; several pictures only if they are to be dreamt `together`.
    fn plan_and<T>(
        &self,
        name: &str,
        start: Start,
        together: bool,
        make: impl FnOnce(&Studio<'_>, Start, &Plan) -> Result<T>,
    ) -> Result<T> {
        let mut request = self.request.clone();
        if !self.layers.is_empty() {
            request.recipe.set_list(field::OBJECTIVE, &self.layers);
        }
        let run = Run::new(&*self.events, &self.cancel);
        let base = request.base()?;
        let prepare = |recipe: &mut Recipe| {
            let chosen = base.is_some() && request.recipe.preset.is_none();
            if !chosen && start.noise().is_some() {
                recipe.start_from_noise();
            } else if request.recipe.asks_for_classes() {
                recipe.start_with_classes();
            }
        };
        let (mut recipe, assets) =
            request.resolve(base.as_ref(), &self.network, Preset::Default, prepare, run)?;
        let machine = request.limits.machine()?;
        if let Start::Image(image) = &start {
            let color = image.color();
            request.choose_layers(base.as_ref(), &mut recipe, &self.network, color, &machine)?;
        }
        if start.noise().is_none() {
            request.suit(&mut recipe, start.size());
        }
        let previews = request.previews;
        let studio =
            Studio { network: &self.network, machine: &machine, run, previews, place: None };
        if !together {
            alone(&recipe, "this makes one picture, so set `pictures` to 1")?;
        }
        let dreamt = (&recipe, &assets);
        let mut plan = studio.plan(name, start.size(), start.noise(), dreamt)?;
        studio.choose(name, &start, &mut plan)?;
        make(&studio, start, &plan)
    }
}

/// Where a dream stands that was perhaps stopped before its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// The dream, once it is whole.
    pub dream: Option<Dream>,
    /// From where it goes on.
    pub checkpoint: Checkpoint,
}

/// An image that was dreamt, and the recipe it was made by.
#[derive(Clone, Debug, PartialEq)]
pub struct Dream {
    image: Image,
    recipe: Recipe,
}

impl Dream {
    /// The image.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The image alone.
    pub fn into_image(self) -> Image {
        self.image
    }

    /// The recipe, with nothing left to choose: with the same image it gives the same dream again.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Writes a file in the format its name says, with the recipe in it, in place of one that is there.
    /// The file appears whole or not at all.
    ///
    /// # Errors
    /// A name that says no format, what the format cannot hold, or what the operating system says.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let format = ImageFormat::of_name(path)?;
        let bytes = picture::encode(&self.image, format, &self.recipe.to_toml(), path)?;
        Output::new(path.to_owned(), true)?.write(&bytes)
    }
}
