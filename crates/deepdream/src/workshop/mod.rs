//! What the studio dreams with: networks, recipes and pictures, behind the trait that it has for that.

mod failure;
mod form;
mod picture;
mod recipes;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dream::{Assets, Filter, Machine, NoiseStart, Observer, Recipe};
use graph::{Network, Size};
use media::{FileKind, Image, ImageFormat};
use models::{BUILT_IN, Store, StoreEvent};
use serde_json::{Value, json};
use studio::{Change, Failure, Fetched, Look, Order, Sample, Source, Step, Watch};

use crate::memory::free_memory;
use crate::picture::{Start, Studio, read, recipe_of};
use crate::progress::Run;
use crate::{CancelToken, Limits, Result, inspect};
use failure::{about, failed};
use picture::{Dreamt, Planes};

/// How many networks stay loaded.
const LOADED: usize = 2;

/// The longest side of what small pictures are made from.
const SMALL: usize = 448;

/// A workshop on this machine.
pub struct Workshop {
    steering: Machine,
    behind: Machine,
    networks: Mutex<Vec<(String, Network)>>,
    /// The picture that was read last, and a small copy of it.
    pictures: Mutex<Option<(PathBuf, Image)>>,
    small: Mutex<Option<(PathBuf, Image)>>,
}

impl Workshop {
    /// A workshop within these limits.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn new(limits: &Limits) -> Result<Self> {
        Ok(Self {
            steering: limits.machine()?,
            behind: limits.machine()?,
            networks: Mutex::default(),
            pictures: Mutex::default(),
            small: Mutex::default(),
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
                false => Store::open()?.resolve(Some(name))?.0,
            };
            loaded.push((name.to_owned(), network));
            let over = loaded.len().saturating_sub(LOADED);
            loaded.drain(..over);
        }
        Ok(loaded.last().expect("it was put there").1.clone())
    }

    /// The picture in a file, decoded once.
    fn image(&self, path: &Path) -> Result<Image> {
        let mut last = lock(&self.pictures);
        match &*last {
            Some((known, image)) if known == path => Ok(image.clone()),
            _ => {
                *last = None;
                let image = read(path, free_memory() / 4)?;
                *last = Some((path.to_owned(), image.clone()));
                Ok(image)
            }
        }
    }

    /// A copy of the picture that is as large as small pictures need.
    fn small_image(&self, path: &Path) -> Result<Image> {
        let mut last = lock(&self.small);
        if let Some((_, image)) = last.as_ref().filter(|(known, _)| known == path) {
            return Ok(image.clone());
        }
        let image = self.image(path)?.flatten();
        let size = image.size();
        let image = match size.width.max(size.height) > SMALL {
            true => {
                let size = size.with_longest(SMALL);
                Image::from_planes(dream::resize(image.color(), size, Filter::Triangle), None)?
            }
            false => image,
        };
        *last = Some((path.to_owned(), image.clone()));
        Ok(image)
    }

    fn dream(&self, order: &Order, watch: &mut dyn Watch) -> Result<Option<Dreamt>> {
        let mut recipe = Recipe::from_toml(&order.recipe)?;
        let network = self.network(&recipe.model.name)?;
        let start = match &order.source {
            Source::File(path) if order.steered => Start::Image(self.image(path)?),
            Source::File(path) => Start::Image(self.small_image(path)?),
            &Source::Noise { width, height } => Start::Noise(NoiseStart { width, height }),
        };
        if let Some(longest) = order.longest {
            let own = recipe.full_size(start.size());
            if own.width.max(own.height) > longest as usize {
                recipe.size = Some(longest);
            }
        }
        let machine = if order.steered { &self.steering } else { &self.behind };
        let machine = Machine { memory: free_memory(), ..machine.clone() };
        let cancel = CancelToken::new();
        let run = Run::new(&(), &cancel);
        let studio =
            Studio { network: &network, machine: &machine, run, previews: None, place: None };
        let name = "the picture";
        let (size, noise) = (start.size(), start.noise());
        let mut plan = studio.plan(name, size, noise, (&recipe, &Assets::default()))?;
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

    fn usual_network(&self) -> String {
        Store::open().map_or_else(|_| BUILT_IN.to_owned(), |store| store.default_network())
    }

    fn look(&self, file: &Path, name: &str) -> Result<Look, Failure> {
        let look = || -> Result<Look> {
            let image = read(file, free_memory() / 4)?;
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

    fn view(&self, recipe: &str) -> Value {
        let Ok(recipe) = Recipe::from_toml(recipe) else { return Value::Null };
        let usual = self.network(&recipe.model.name).ok();
        form::view(&recipe, usual.map(|network| recipes::base(&network, &recipe)).as_ref())
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

    fn photo(&self, file: &Path, longest: u32) -> Result<Vec<u8>, Failure> {
        let image = self.image(file).map_err(failed)?.flatten();
        Ok(picture::jpeg(image.color(), longest, 92))
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
