//! What the studio dreams with: networks, recipes and pictures, behind the trait that it has for that.

mod command;
mod failure;
mod files;
mod form;
mod picture;
mod recipes;
mod render;
mod seen;
mod starts;
mod videos;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dream::{Machine, NoiseStart, Observer, Recipe};
use graph::{Network, Size, Storage};
use media::{FileKind, ImageFormat};
use models::{BUILT_IN, Store, StoreEvent};
use serde_json::{Value, json};
use studio::{
    Change, Clip, Failure, Fetched, Foreseen, Lane, Look, Order, Render, Rendered, Sample, Source,
    Step, Watch,
};

use crate::machine::with_threads;
use crate::picture::{Start, Studio, alone, read, recipe_of};
use crate::progress::Run;
use crate::{CancelToken, Limits, Result, inspect};
use failure::{about, failed};
use files::Decoded;
use picture::{Dreamt, Planes};
use starts::Starts;

/// How many networks stay loaded.
const LOADED: usize = 2;

/// How many dreams are made at the same time beside the one that is steered.
const BESIDE: usize = 4;

/// A workshop on this machine.
pub struct Workshop {
    limits: Limits,
    steering: Machine,
    behind: Machine,
    networks: Mutex<Vec<(String, Network)>>,
    starts: Starts,
    decoded: Mutex<Decoded>,
    /// The machines of dreams that are made at the same time, once they are needed.
    beside: Mutex<[Option<Machine>; BESIDE]>,
}

impl Workshop {
    /// A workshop within these limits.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn new(limits: &Limits) -> Result<Self> {
        // What is said beforehand of the page's dreams knows no scratch files.
        let machine = || -> Result<Machine> {
            Ok(Machine { scratch: Storage::default(), ..limits.machine()? })
        };
        Ok(Self {
            limits: limits.clone(),
            steering: machine()?,
            behind: machine()?,
            networks: Mutex::default(),
            starts: Starts::default(),
            decoded: Mutex::default(),
            beside: Mutex::default(),
        })
    }

    /// The network of this name, loaded once.
    fn network(&self, name: &str) -> Result<Network> {
        let mut loaded = lock(&self.networks);
        if let Some(place) = loaded.iter().position(|(known, _)| known == name) {
            let found = loaded.remove(place);
            loaded.push(found);
        } else {
            let network = match name == BUILT_IN {
                true => models::open(name)?,
                // It comes from a request, or from a recipe that somebody has dropped.
                false => Store::open()?.resolve_name(name)?,
            };
            loaded.push((name.to_owned(), network));
            let over = loaded.len().saturating_sub(LOADED);
            loaded.drain(..over);
        }
        Ok(loaded.last().expect("it was put there").1.clone())
    }

    /// Bytes of memory that may be taken now.
    fn memory(&self) -> u64 {
        self.limits.memory()
    }

    /// The machine of a lane, with the memory that may be taken now.
    fn machine(&self, lane: Lane) -> Result<Machine> {
        let memory = self.memory();
        let place = match lane {
            Lane::Steered => return Ok(Machine { memory, ..self.steering.clone() }),
            Lane::Behind => return Ok(Machine { memory, ..self.behind.clone() }),
            Lane::Beside(place) => place % BESIDE,
            Lane::Again => 0,
        };
        let mut beside = lock(&self.beside);
        let machine = match &beside[place] {
            Some(machine) => machine.clone(),
            None => {
                let threads = self.steering.context.threads().count().div_ceil(2);
                let machine = with_threads(&self.behind, threads)?;
                beside[place].insert(machine).clone()
            }
        };
        let memory = match lane {
            // They may all be at work at the same time.
            Lane::Beside(_) => memory / BESIDE as u64,
            _ => memory,
        };
        Ok(Machine { memory, ..machine })
    }

    fn dream(&self, order: &Order, watch: &mut dyn Watch) -> Result<Option<Dreamt>> {
        let mut recipe = Recipe::from_toml(&order.recipe)?;
        let network = self.network(&recipe.model.name)?;
        let start = match &order.source {
            Source::File(path) if order.lane == Lane::Behind => {
                Start::Image(self.starts.small(path, self.memory() / 4)?)
            }
            Source::File(path) => Start::Image(self.starts.photo(path, self.memory() / 4)?),
            &Source::Noise { width, height } => Start::Noise(NoiseStart { width, height }),
        };
        if recipe.full_size(start.size()).longest() > order.longest as usize {
            recipe.size = Some(order.longest);
        }
        alone(&recipe, "the stage shows one picture, so set `pictures` to 1")?;
        let machine = self.machine(order.lane)?;
        let cancel = CancelToken::new();
        let run = Run::new(&(), &cancel);
        let studio =
            Studio { network: &network, machine: &machine, run, previews: None, place: None };
        let name = "the picture";
        let (size, noise) = (start.size(), start.noise());
        let assets = lock(&self.decoded).of(&mut recipe, self.memory() / 4, run)?;
        let mut plan = studio.plan(name, size, noise, (&recipe, &assets))?;
        let start = match start {
            // All others have seeds of their own.
            Start::Noise(noise) if order.lane == Lane::Steered => {
                Start::Image(self.starts.noise(&plan, noise)?)
            }
            start => start,
        };
        studio.choose(name, &start, &mut plan)?;
        let pixels: Vec<f64> = plan.octaves().iter().map(|size| size.pixels() as f64).collect();
        let all: f64 = pixels.iter().sum();
        let mut sum = 0.0;
        let shares = pixels.iter().map(|pixels| {
            sum += pixels / all;
            sum
        });
        watch.laid_out(&shares.collect::<Vec<_>>());
        let (at, finish) =
            studio.dream_observed(name, start, &plan, None, &mut Watcher { watch })?;
        if !at.is_whole(&plan) {
            return Ok(None);
        }
        let image = finish.image(&plan, at.into_picture())?;
        Ok(Some(Dreamt::new(image, plan.recipe().to_toml())))
    }
}

/// Lets the studio watch a dream.
struct Watcher<'a> {
    watch: &'a mut dyn Watch,
}

impl Observer for Watcher<'_> {
    fn step(&mut self, progress: &dream::Progress<'_>) -> ControlFlow<()> {
        let Size { height, width } = progress.picture.shape.size();
        let at = Step {
            octave: progress.octave + 1,
            octaves: progress.octaves,
            step: progress.iteration,
            steps: progress.iterations,
            done: progress.done,
            total: progress.total,
            width: width as u32,
            height: height as u32,
        };
        self.watch.step(at, &|| Arc::new(Planes(progress.picture.clone())))
    }
}

impl studio::Workshop for Workshop {
    fn form(&self) -> Value {
        form::form()
    }

    fn networks(&self) -> Result<Value, Failure> {
        networks().map_err(failed)
    }

    fn fetch(&self, network: &str, watch: Fetched<'_>) -> Result<(), Failure> {
        let mut fetch = || -> Result<()> {
            let mut last = (0, None);
            Store::open()?.pull(network, None, &mut |event| {
                if let StoreEvent::Downloading { done, total } = event {
                    last = (done, total);
                }
                watch(last.0, last.1)
            })?;
            Ok(())
        };
        fetch().map_err(failed)
    }

    fn layers(&self, network: &str) -> Result<Value, Failure> {
        let network = self.network(network).map_err(failed)?;
        Ok(json!(inspect::layers(&network)))
    }

    fn classes(&self, network: &str) -> Result<Value, Failure> {
        let network = self.network(network).map_err(failed)?;
        Ok(seen::classes(&network))
    }

    fn channels(
        &self,
        recipe: &str,
        source: &Source,
        layer: &str,
        at: Option<[f64; 2]>,
    ) -> Result<Value, Failure> {
        let channels = || -> Result<Value> {
            let network = self.network(&Recipe::from_toml(recipe)?.model.name)?;
            let Source::File(photo) = source else { return seen::unranked(&network, layer) };
            let machine = Machine { memory: self.memory(), ..self.behind.clone() };
            let photo = self.starts.photo(photo, self.memory() / 4)?;
            seen::channels(&network, layer, &photo.flatten(), at, &machine)
        };
        channels().map_err(failed)
    }

    fn keep(&self, file: &Path, hash: &str, extension: &str) -> Result<(), Failure> {
        files::keep(file, hash, extension).map_err(failed)
    }

    fn kept(&self, hash: &str) -> Option<PathBuf> {
        crate::assets::stored(hash)
    }

    fn remove_kept(&self, hash: &str) -> Result<(), Failure> {
        files::remove(hash).map_err(failed)
    }

    fn usual_network(&self) -> String {
        Store::open().map_or_else(|_| BUILT_IN.to_owned(), |store| store.default_network())
    }

    fn look(&self, file: &Path, name: &str) -> Result<Look, Failure> {
        let look = || -> Result<Look> {
            let image = read(file, self.memory() / 4)?;
            let size = image.size();
            let kind = FileKind::of_file(file).ok().flatten().and_then(ImageFormat::of_kind);
            let extension = kind.map_or("bin", ImageFormat::extension).to_owned();
            let recipe = recipe_of(file);
            Ok(Look { width: size.width as u32, height: size.height as u32, extension, recipe })
        };
        look().map_err(|error| about(file, name, error))
    }

    fn begin(&self, network: &str, noise: Option<(u32, u32)>) -> Result<String, Failure> {
        let network = self.network(network).map_err(failed)?;
        let noise = noise.map(|(width, height)| NoiseStart { width, height });
        Ok(recipes::usual(&network, noise).to_toml())
    }

    fn edit(&self, recipe: &str, changes: &[Change]) -> Result<String, Failure> {
        let edit = || -> Result<String> {
            let mut recipe = Recipe::from_toml(recipe)?;
            for change in changes {
                let network = match change {
                    Change::Network { name } => self.network(name)?,
                    _ => self.network(&recipe.model.name)?,
                };
                recipe = recipes::changed(recipe, &network, change)?;
            }
            Ok(recipe.to_toml())
        };
        edit().map_err(failed)
    }

    fn import(&self, text: &str, now: &str) -> Result<String, Failure> {
        let import = || -> Result<String> {
            let now = Recipe::from_toml(now)?;
            let stated = Recipe::from_toml(text)?;
            let named = stated.model.name.as_str();
            let network = self.network(if named.is_empty() { &now.model.name } else { named })?;
            let recipe = recipes::imported(Recipe::from_toml_for(text, &network)?, &network, &now)?;
            Ok(recipe.to_toml())
        };
        import().map_err(failed)
    }

    fn differences(&self, text: &str, now: &str) -> Result<Value, Failure> {
        let then = studio::Workshop::import(self, text, now)?;
        let differences = || -> Result<Value> {
            let changes = Recipe::from_toml(&then)?.changes(&Recipe::from_toml(now)?);
            let one = |change: &dream::Change| json!([change.setting, change.before, change.after]);
            Ok(changes.iter().map(one).collect())
        };
        differences().map_err(failed)
    }

    fn view(&self, recipe: &str) -> Value {
        let Ok(recipe) = Recipe::from_toml(recipe) else { return Value::Null };
        let usual = self.network(&recipe.model.name).ok();
        let before = usual.as_ref().map(|network| recipes::base(network, &recipe));
        form::view(&recipe, before.as_ref(), usual.as_ref())
    }

    fn varied(&self, recipe: &str, by: u64) -> Result<String, Failure> {
        let mut recipe = Recipe::from_toml(recipe).map_err(|error| failed(error.into()))?;
        // Recipes store seeds of 63 bits.
        recipe.seed = recipe.seed.wrapping_add(by) & i64::MAX as u64;
        Ok(recipe.to_toml())
    }

    fn as_look(&self, recipe: &str) -> Result<String, Failure> {
        let recipe = Recipe::from_toml(recipe).map_err(|error| failed(error.into()))?;
        Ok(recipes::as_look(recipe).to_toml())
    }

    fn with_look(&self, recipe: &str, look: &str, layers: bool) -> Result<String, Failure> {
        let with_look = || -> Result<String> {
            let (now, look) = (Recipe::from_toml(recipe)?, Recipe::from_toml(look)?);
            let network = self.network(&look.model.name)?;
            Ok(recipes::with_look(&now, look, &network, layers)?.to_toml())
        };
        with_look().map_err(failed)
    }

    fn command(&self, recipe: &str, photo: &str, longest: Option<u32>) -> Result<String, Failure> {
        let command = || -> Result<String> {
            let recipe = Recipe::from_toml(recipe)?;
            let network = self.network(&recipe.model.name)?;
            Ok(command::line(&recipe, &network, photo, longest))
        };
        command().map_err(failed)
    }

    fn sample(&self, recipe: &str, of: &Sample) -> Result<String, Failure> {
        let sample = || -> Result<String> {
            let recipe = Recipe::from_toml(recipe)?;
            let network = self.network(&recipe.model.name)?;
            Ok(recipes::sample(&recipe, &network, of)?.to_toml())
        };
        sample().map_err(failed)
    }

    fn dream(
        &self,
        order: &Order,
        watch: &mut dyn Watch,
    ) -> Result<Arc<dyn studio::Dream>, Failure> {
        match Workshop::dream(self, order, watch) {
            Ok(Some(dream)) => Ok(Arc::new(dream)),
            Ok(None) => Err(Failure::new(Failure::STOPPED, "The dream was stopped.")),
            Err(error) => Err(failed(error)),
        }
    }

    fn look_at_video(&self, file: &Path, name: &str) -> Result<Clip, Failure> {
        let never = CancelToken::new();
        let look = videos::look(file, name, Run::new(&(), &never));
        look.map_err(|error| about(file, name, error))
    }

    fn poster(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure> {
        let never = CancelToken::new();
        let poster = videos::poster(file, longest, Run::new(&(), &never));
        poster.map_err(|error| about(file, "the video", error))
    }

    fn foresee(&self, render: &Render) -> Result<Foreseen, Failure> {
        self.foreseen(render).map_err(|error| of_render(render, error))
    }

    fn render(&self, render: &Render, watch: Rendered<'_>) -> Result<Vec<u8>, Failure> {
        self.make(render, watch).map_err(|error| of_render(render, error))
    }

    fn photo(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure> {
        // Whatever else is looked at, the photo on the desk stays decoded.
        let image = match self.starts.known(file) {
            Some(image) => image,
            None => read(file, self.memory() / 4).map_err(failed)?,
        };
        let image = image.flatten();
        Ok(picture::jpeg(image.color(), longest, 92))
    }
}

/// An error of a render in the words that people have for its start.
fn of_render(render: &Render, error: crate::Error) -> Failure {
    match &render.source {
        Source::File(file) => about(file, &render.name, error),
        Source::Noise { .. } => failed(error),
    }
}

/// The networks that are here, and those that can be fetched.
fn networks() -> Result<Value> {
    let store = Store::open()?;
    let default = store.default_network();
    let installed = store.installed()?;
    let mut list = Vec::new();
    for known in models::catalogue() {
        let (name, built_in) = (known.name, known.name == BUILT_IN);
        let here = built_in || installed.iter().any(|installed| installed == name);
        let source = known.source.as_ref();
        if !here && source.is_none() {
            continue;
        }
        let bytes = match here && !built_in {
            true => store.size(name).ok(),
            false => source.map(|source| source.bytes),
        };
        list.push(json!({
            "name": name,
            "title": known.title,
            "about": known.description,
            "ready": here,
            "built_in": built_in,
            "default": default == name,
            "bytes": bytes,
            "licence": source.map(|source| source.licence),
        }));
    }
    for name in installed.iter().filter(|name| models::known(name).is_none()) {
        let manifest = store.manifest(name).ok();
        list.push(json!({
            "name": name,
            "title": name,
            "about": "Added on this machine.",
            "ready": true,
            "built_in": false,
            "default": default == *name,
            "bytes": store.size(name).ok(),
            "licence": manifest.and_then(|manifest| manifest.licence),
        }));
    }
    Ok(list.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
