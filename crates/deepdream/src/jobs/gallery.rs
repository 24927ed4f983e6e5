//! A gallery: one small dream of every layer, channel or class, on one sheet.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dream::{Assets, DreamError, Machine, NoiseStart, Plan, Preset, Recipe, Tensor};
use graph::{Network, Size};
use media::{Image, ImageFormat};

use super::foresee::Pace;
use super::{Report, SeriesCost};
use crate::convert::{undreamt, unplanned};
use crate::gallery::{Asked, Cell, CellFolder, cells, unguided};
use crate::memory::taken_memory;
use crate::output::Output;
use crate::picture::alone;
use crate::progress::{Clock, Run};
use crate::request::Resolved;
use crate::sheet::Sheet;
use crate::{
    CancelToken, Content, DreamRequest, Error, Event, Events, Fault, Input, Knob, Note, Result,
    Shard, Stage, Work, picture,
};

/// How long the sheet so far stands before it is written anew, at the least.
const SHEETS: Duration = Duration::from_secs(10);

/// The most time, as a share of all, that goes into sheets that are not complete.
const SHEETS_SHARE: u32 = 20;

/// The longest sides of pictures that the sheet shows, in pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;

/// Shows what a network's layers, channels or classes make of a photo, or of noise: a sheet of small dreams
/// with their names.
///
/// The pictures are kept in a folder until the sheet is complete, each with its recipe, and with them the sheet
/// so far: the same job continues after any stop.
#[derive(Clone, Debug, Default)]
pub struct GalleryJob {
    /// The photo to dream on. Default: noise, which the recipe's seed decides.
    pub photo: Option<PathBuf>,
    /// Whether every class is shown. Default: the channels of the layer, or the classes, that the recipe's
    /// request names; every layer if it names none.
    pub classes: bool,
    /// The longest side of each picture in pixels. Default: 160, or 128 for noise.
    pub cell: Option<u32>,
    /// How many pictures there are side by side. Default: as many as make the sheet about 16:10.
    pub columns: Option<u32>,
    /// The sheet to write, in the format its name says. Default: beside the photo, `photo.gallery.png` for
    /// `photo.jpg`; `gallery.png` for noise.
    pub output: Option<PathBuf>,
    /// The folder in which the pictures stay. Default: they are gone once the sheet is complete.
    pub cells: Option<PathBuf>,
    /// The part of the pictures to make, where several machines share them in one folder; the sheet is made by
    /// the same job without it. Default: all of them, and the sheet.
    pub shard: Option<Shard>,
    /// Whether files that exist may be replaced. Default: they are an error.
    pub overwrite: bool,
    /// The recipe, the network and the machine.
    pub dream: DreamRequest,
}

/// How many pictures are timed to find out how long all take, at the most.
const TRIED: usize = 5;

/// A job that may begin.
struct Checked<'a> {
    output: Output,
    format: ImageFormat,
    common: Common<'a>,
    sheet: Sheet,
    /// The size of each picture.
    cell: Size,
}

/// What an earlier run has left.
struct Found {
    /// The pictures that it has not made, by their places.
    missing: Vec<usize>,
    /// How many it has made.
    present: usize,
    /// The plan of the last one.
    last: Option<Plan>,
}

/// What all pictures have in common.
struct Common<'a> {
    network: Network,
    machine: Machine,
    recipe: Recipe,
    assets: Assets,
    start: Tensor,
    cells: Vec<Cell>,
    shard: Option<Shard>,
    folder: CellFolder,
    run: Run<'a>,
}

impl GalleryJob {
    /// A job that shows what every layer makes of a photo.
    pub fn new(photo: impl Into<PathBuf>) -> Self {
        Self { photo: Some(photo.into()), ..Self::default() }
    }

    /// Makes the pictures that are missing, and the sheet.
    ///
    /// # Errors
    /// A photo that cannot be read, no such layer, channel or class, pictures made otherwise, or a sheet that
    /// cannot be written.
    pub fn run(&self, events: &dyn Events, cancel: &CancelToken) -> Result<Report> {
        let run = Run::new(events, cancel);
        let Checked { output, format, common, mut sheet, .. } = self.check(false, run)?;
        common.folder.make()?;
        if self.shard.is_some() {
            let wrote = common.make(None)?;
            run.event(Event::Done);
            return Ok(Report { wrote, recipe: Some(common.recipe) });
        }
        common.make(Some(&mut sheet))?;
        let image = sheet.image()?;
        let recipe = common.recipe.to_toml();
        output.write(&picture::encode(&image, format, &recipe, output.path())?)?;
        run.wrote(output.path(), Content::Sheet { pictures: common.cells.len() });
        let Common { folder, cells, recipe, .. } = common;
        folder.close(&cells)?;
        run.event(Event::Done);
        Ok(Report { wrote: vec![output.path().to_owned()], recipe: Some(recipe) })
    }

    /// What [`Self::run`] would make. Nothing is written; a few steps are taken to find out.
    ///
    /// # Errors
    /// As [`Self::run`], as far as that is known before the first picture.
    pub fn foresee(&self, events: &dyn Events, cancel: &CancelToken) -> Result<SeriesCost> {
        let run = Run::new(events, cancel);
        let Checked { output, common, sheet, cell, .. } = self.check(true, run)?;
        let Found { missing, present, .. } = common.find(None)?;
        let (time, memory) = common.cost(&missing)?;
        // A part makes no sheet; else there are the sheet and its copy as an image.
        let (output, size, whole) = match self.shard {
            Some(_) => (common.folder.path(), cell, 0),
            None => (output.path(), sheet.size(), 2 * 3 * sheet.size().pixels()),
        };
        Ok(SeriesCost {
            output: output.to_owned(),
            size,
            pictures: (present + missing.len()) as u64,
            present: present as u64,
            seconds: None,
            memory: memory.saturating_add(whole).saturating_add(taken_memory()),
            time,
        })
    }

    /// Everything that can be refused is refused here. An output that is `rehearsed` leaves no trace on the disk.
    fn check<'a>(&self, rehearsed: bool, run: Run<'a>) -> Result<Checked<'a>> {
        let longest = self.cell.unwrap_or(if self.photo.is_some() { 160 } else { 128 });
        if !SIDES.contains(&longest) {
            let (least, most) = (SIDES.start(), SIDES.end());
            let what = format!("pictures of {longest} pixels a side are no gallery");
            return Err(Error::new(Fault::Usage, what)
                .turn(Knob::Cell, format!("Use a longest side from {least} to {most}.")));
        }
        let path = self.output.clone().unwrap_or_else(|| match &self.photo {
            Some(photo) => photo.with_extension("gallery.png"),
            None => PathBuf::from("gallery.png"),
        });
        let format = ImageFormat::of_name(&path)?;
        // A shard makes no sheet: the others' may be there already.
        let overwrite = self.overwrite || self.shard.is_some();
        let output = match rehearsed {
            true => Output::claim_or_rehearse(path, overwrite, true, None)?,
            false => Output::new(path, overwrite)?.of_job(run),
        };
        let photo = self.photo.iter().map(|photo| Input::new("picture", photo));
        output.spare(photo.chain(self.dream.inputs()))?;
        let common = self.prepare(longest, &output, run)?;
        let cell = common.size(longest);
        let names: Vec<String> = common.cells.iter().map(|cell| cell.label.clone()).collect();
        let columns = self.columns.map(|columns| columns.max(1) as usize);
        let sheet = Sheet::new(cell, &names, columns, common.machine.memory)?;
        format.check_size(sheet.size()).map_err(|error| output.refused(error))?;
        Ok(Checked { output, format, common, sheet, cell })
    }

    /// What all pictures have in common.
    fn prepare<'a>(&self, longest: u32, sheet: &Output, run: Run<'a>) -> Result<Common<'a>> {
        let base = self.dream.base()?;
        let network = self.dream.open_network(base.as_ref(), run)?;
        let request = &self.dream.recipe;
        let chosen = base.is_some() || request.preset.is_some();
        let on_photo = self.photo.is_some();
        let usual = if on_photo { Preset::Classic } else { Preset::Visualise };
        let prepare = |recipe: &mut Recipe| match on_photo {
            _ if chosen => {}
            true => {
                (recipe.octaves.count, recipe.ascent.iterations) = (4, 10);
                (recipe.ascent.step, recipe.ascent.by_depth) = (1.5, true);
            }
            false => recipe.ascent.iterations = 64,
        };
        let resolved = self.dream.resolve_sparing(base.as_ref(), &network, usual, prepare, run)?;
        sheet.spare(resolved.inputs())?;
        let Resolved { mut recipe, assets, .. } = resolved;
        alone(&recipe, "each cell is one picture, so set `pictures` to 1")?;
        let machine = self.dream.limits.machine()?;
        let noise = NoiseStart { width: longest, height: longest };
        let start = match &self.photo {
            Some(photo) => picture::read(photo, machine.memory)?.into_color(),
            None => recipe.noise_of(noise.size(), &machine.context),
        };
        recipe.noise = self.photo.is_none().then_some(noise);
        recipe.size = self.photo.is_some().then_some(longest);
        let size = recipe.full_size(start.shape.size());
        let asked = match &recipe.objective[..] {
            _ if self.classes && !self.dream.files.guides.is_empty() => {
                return Err(unguided("classes"));
            }
            _ if self.classes => Asked::EveryClass,
            terms if request.asks_for_terms() => Asked::Terms(terms),
            terms => Asked::EveryLayer(&terms[0]),
        };
        let (cells, left_out) = cells(&network, asked, size)?;
        if left_out > 0 {
            run.note(Note::LeftOut { layers: left_out, size });
        }
        let keep = self.cells.is_some();
        let folder = self.cells.clone().unwrap_or_else(|| sheet.path().with_extension(""));
        let folder = CellFolder::new(folder, self.overwrite, keep);
        let shard = self.shard;
        Ok(Common { network, machine, recipe, assets, start, cells, shard, folder, run })
    }
}

impl Common<'_> {
    /// The size of each picture.
    fn size(&self, longest: u32) -> Size {
        let size = self.recipe.full_size(self.start.shape.size());
        size.with_longest(longest as usize)
    }

    /// The plan of a picture; that of another serves again if it is of the same layers.
    fn plan(&self, cell: &Cell, last: Option<Plan>) -> Result<Plan> {
        let objective = vec![cell.term.clone()];
        let again = match last {
            Some(last) => last.with_objective(objective.clone()),
            None => Ok(None),
        };
        let plan = again.and_then(|again| match again {
            Some(plan) => Ok(plan),
            None => {
                let recipe = Recipe { objective, ..self.recipe.clone() };
                let (network, size) = (&self.network, self.start.shape.size());
                Plan::with_assets(&recipe, &self.assets, network, size, &self.machine)
            }
        });
        plan.map_err(|error| unplanned(&cell.label, error))
    }

    /// Finds the pictures of this part that are there, and puts them on the sheet.
    fn find(&self, mut sheet: Option<&mut Sheet>) -> Result<Found> {
        let mut found = Found { missing: Vec::new(), present: 0, last: None };
        let is_own = |index: usize| self.shard.is_none_or(|shard| shard.has(index));
        for (index, cell) in self.cells.iter().enumerate().filter(|(index, _)| is_own(*index)) {
            let plan = self.plan(cell, found.last.take())?;
            match self.folder.find(cell, plan.recipe(), self.machine.memory)? {
                Some(image) => {
                    found.present += 1;
                    if let Some(sheet) = &mut sheet {
                        sheet.put(index, &image, &cell.label);
                    }
                }
                None => found.missing.push(index),
            }
            found.last = Some(plan);
        }
        Ok(found)
    }

    /// How long the pictures take that are missing, and the most memory of any, by some that are spread over them:
    /// those of deep layers take longer, those between two about what is between.
    fn cost(&self, missing: &[usize]) -> Result<(Duration, u64)> {
        let tried = missing.len().min(TRIED);
        let places = (0..tried).map(|place| place * (missing.len() - 1) / (tried - 1).max(1));
        let (mut costs, mut memory) = (Vec::new(), 0);
        for place in places {
            let cell = &self.cells[missing[place]];
            let plan = self.plan(cell, None)?;
            let again = |recipe: &Recipe| {
                let (network, size) = (&self.network, self.start.shape.size());
                Plan::with_assets(recipe, &self.assets, network, size, &self.machine)
                    .map_err(|error| unplanned(&cell.label, error))
            };
            let pace = Pace::measure(&cell.label, &plan, &again, self.run)?;
            costs.push((place, pace.of(&plan, 1.0).as_secs_f64()));
            memory = memory.max(plan.memory());
        }
        let mut seconds = costs.first().map_or(0.0, |(_, first)| *first);
        for pair in costs.windows(2) {
            let [(from, before), (to, after)] = [pair[0], pair[1]];
            // A straight line between the two, the first of which is counted already.
            let count = (to - from) as f64;
            seconds += count * before + (after - before) * (count + 1.0) / 2.0;
        }
        Ok((Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX), memory))
    }

    /// Makes the pictures that are missing, and puts all of them on the sheet; returns those it has made.
    fn make(&self, mut sheet: Option<&mut Sheet>) -> Result<Vec<PathBuf>> {
        let Found { missing, present, mut last } = self.find(sheet.as_deref_mut())?;
        let (of, folder) = (present + missing.len(), self.folder.path().to_owned());
        self.run.started(Work::Gallery { folder, pictures: of, present });
        let clock = Clock::new(last.as_ref().map(|plan| work(plan) * missing.len() as u64));
        let (mut done, mut written, mut spent) = (0, Instant::now(), Duration::ZERO);
        let mut made = Vec::new();
        for &index in &missing {
            let cell = &self.cells[index];
            let plan = self.plan(cell, last.take())?;
            let (whole, place) = (work(&plan), present + made.len() + 1);
            let mut step = |progress: &dream::Progress<'_>| {
                let stage = Stage::Cell { name: cell.label.clone(), place, of };
                let done = done + whole * progress.done / progress.total.max(1);
                self.run.event(Event::Progress(clock.progress(stage, done)));
                match self.run.is_cancelled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            let dreamt = match dream::dream(&plan, self.start.clone(), &mut step) {
                // There is nothing of it in the picture: what it makes of it is the picture.
                Err(DreamError::NoGradient { .. }) => self.undreamt(&plan),
                dreamt => {
                    dreamt.map_err(|error| undreamt(&cell.label, error, || self.stopped()))?
                }
            };
            done += whole;
            let image = Image::from_planes(dreamt, None)?;
            let path = self.folder.write(cell, &image, plan.recipe())?;
            self.run.wrote(&path, Content::Cell { index });
            made.push(path);
            last = Some(plan);
            let Some(sheet) = &mut sheet else { continue };
            sheet.put(index, &image, &cell.label);
            if written.elapsed() >= SHEETS.max(spent * SHEETS_SHARE) {
                let begun = Instant::now();
                let image = sheet.image()?;
                let recipe = self.recipe.to_toml();
                let png = picture::encode(&image, ImageFormat::Png, &recipe, self.folder.path())?;
                self.folder.write_sheet(&png)?;
                (written, spent) = (Instant::now(), begun.elapsed());
            }
        }
        Ok(made)
    }

    /// The picture as it was, in the size of a dream.
    fn undreamt(&self, plan: &Plan) -> Tensor {
        let mut picture = dream::resize(&self.start, plan.size(), dream::Filter::CatmullRom);
        picture.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 255.0));
        picture
    }

    fn stopped(&self) -> Error {
        let folder = self.folder.path();
        Error::cancelled(format!("stopped: the pictures that are done are in {}", folder.display()))
            .at(folder)
            .hint("Run the same again to continue from there.")
    }
}

/// How much work a plan is: pixels × steps.
fn work(plan: &Plan) -> u64 {
    let pixels: u64 = plan.octaves().iter().map(|size| size.pixels()).sum();
    pixels * u64::from(plan.iterations())
}
