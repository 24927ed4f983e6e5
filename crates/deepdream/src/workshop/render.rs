//! Files that the studio's queue makes: by the jobs that the command line runs too.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use dream::{MotionPreset, NoiseStart, Recipe};
use graph::Size;
use media::{FrameRate, ImageFormat};
use studio::{Clip, Done, Foreseen, Render, Rendered, Source, Wanted};

use super::videos::{self, TRIED};
use super::{Workshop, lock, picture};
use crate::frames::Frames;
use crate::memory::taken_memory;
use crate::output::Output;
use crate::picture::{Studio, encode, read, size_of};
use crate::progress::Run;
use crate::request::field;
use crate::{
    CancelToken, DreamRequest, Error, Event, Events, Fault, NetworkChoice, Progress, RecipeRequest,
    RecipeSource, Result, Stage, StillJob, VideoJob, Work, ZoomJob,
};

/// The longest side of small pictures.
const SMALL: u32 = 224;

/// How long a movie may be, in seconds, and how many frames a second may have.
const SECONDS: std::ops::RangeInclusive<f64> = 0.1..=600.0;
const FPS: std::ops::RangeInclusive<u32> = 1..=60;

impl Workshop {
    /// The recipe by which a file is made.
    fn recipe_of(&self, render: &Render) -> Result<Recipe> {
        let mut recipe = Recipe::from_toml(&render.recipe)?;
        let start = start_size(render, self.memory() / 4)?;
        let own = recipe.full_size(start);
        let longest = match render.wanted {
            Wanted::Picture { longest, ref extension, sixteen } => {
                let format = ImageFormat::of_extension(extension);
                if sixteen && !format.is_some_and(ImageFormat::has_sixteen_bits) {
                    let what = format!(".{extension} files have 8 bits per channel");
                    let error = Error::new(Fault::Usage, what);
                    return Err(error.hint("Choose PNG or TIFF, or leave 16 bits out."));
                }
                longest
            }
            Wanted::Zoom { longest, seconds, fps, ref motion } => {
                moving(render)?;
                motion.as_deref().map(motion_of).transpose()?;
                if !SECONDS.contains(&seconds) || !FPS.contains(&fps) {
                    let (seconds, fps) = (SECONDS.end(), FPS.end());
                    let what = format!(
                        "a movie has up to {seconds} seconds and 1 to {fps} frames in each of them"
                    );
                    return Err(Error::new(Fault::Usage, what));
                }
                recipe.start_zoom();
                recipe.noise = None;
                // Codecs want even sides; one of a few pixels shows nothing.
                Some(longest.max(32)).filter(|longest| own.longest() > *longest as usize)
            }
            Wanted::Video { longest, ref coherence, .. } => {
                moving(render)?;
                recipe.start_video();
                recipe.noise = None;
                if let Some(coherence) = coherence {
                    recipe.set(field::COHERENCE, coherence)?;
                }
                longest.map(|longest| longest.max(32))
            }
            Wanted::Sample { longest, ref at } => {
                moving(render)?;
                if !(1..=TRIED).contains(&at.len()) {
                    let what = format!("1 to {TRIED} frames are tried at once");
                    return Err(Error::new(Fault::Usage, what));
                }
                recipe.noise = None;
                Some(longest.max(32)).filter(|longest| own.longest() > *longest as usize)
            }
        };
        if let Some(longest) = longest.filter(|longest| own.longest() != *longest as usize) {
            recipe.size = Some(longest);
        }
        recipe.validate()?;
        Ok(recipe)
    }

    /// What a file would be and would take.
    ///
    /// # Errors
    /// What would keep it from being made, as far as headers tell.
    pub(super) fn foreseen(&self, render: &Render) -> Result<Foreseen> {
        let mut recipe = self.recipe_of(render)?;
        let network = self.network(&recipe.model.name)?;
        let start = start_size(render, self.memory() / 4)?;
        let free = self.memory();
        let machine = dream::Machine { memory: free, ..self.behind.clone() };
        let never = CancelToken::new();
        let (run, previews, place) = (Run::new(&(), &never), None, None);
        let studio = Studio { network: &network, machine: &machine, run, previews, place };
        let name = &render.name;
        let assets = lock(&self.decoded).of(&mut recipe, free / 4, run)?;
        let plan = studio.plan(name, start, recipe.noise, (&recipe, &assets))?;
        let size = plan.size();
        // How it is cut depends on the memory that is free now, and so would what a later attempt makes.
        let asked = Recipe { tiles: plan.recipe().tiles, ..Recipe::from_toml(&render.recipe)? };
        let pixels: u64 = plan.octaves().iter().map(|size| size.pixels()).sum();
        let whole = pixels.saturating_mul(plan.iterations().into());
        let (frames, work, bytes) = match render.wanted {
            Wanted::Picture { sixteen, .. } => (None, whole, if sixteen { 6 } else { 3 }),
            Wanted::Zoom { seconds, fps, .. } => {
                let frames = (seconds * f64::from(fps)).round().max(1.0) as u64;
                let zoom = recipe.zoom.clone().unwrap_or_default();
                let (steps, _) = zoom.share(&recipe, 0.0);
                (Some(frames), pixels.saturating_mul(steps.into()).saturating_mul(frames), 3)
            }
            Wanted::Video { start, end, .. } => {
                let clip = render.clip.as_ref();
                let (seconds, rate) = clip.map_or((0.0, 0.0), |clip| (clip.seconds, clip.rate));
                let end = end.unwrap_or(seconds).min(seconds);
                let frames = ((end - start.unwrap_or(0.0)).max(0.0) * rate).round().max(1.0) as u64;
                let (steps, _) = recipe.video.clone().unwrap_or_default().share(&recipe);
                // The first has nothing to go on from.
                let others = pixels.saturating_mul(steps.into()).saturating_mul(frames - 1);
                (Some(frames), whole.saturating_add(others), 3)
            }
            Wanted::Sample { ref at, .. } => {
                let frames = at.len() as u64;
                (Some(frames), whole.saturating_mul(frames), 3)
            }
        };
        let disk = size.pixels().saturating_mul(bytes).saturating_mul(frames.unwrap_or(1));
        Ok(Foreseen {
            width: size.width as u32,
            height: size.height as u32,
            octaves: plan.octaves().len() as u32,
            frames,
            work,
            memory: plan.memory().saturating_add(taken_memory()),
            free,
            disk,
            recipe: asked.to_toml(),
        })
    }

    /// Makes a file; returns a small JPEG of it.
    ///
    /// # Errors
    /// What keeps it from being made, or that it was stopped.
    pub(super) fn make(&self, render: &Render, watch: Rendered<'_>) -> Result<Vec<u8>> {
        let recipe = self.recipe_of(render)?;
        let network = NetworkChoice::Loaded(self.network(&recipe.model.name)?);
        let base =
            Some(RecipeSource::Text { name: "the recipe".to_owned(), text: recipe.to_toml() });
        let dream = DreamRequest {
            network,
            recipe: RecipeRequest { base, ..RecipeRequest::default() },
            limits: self.limits.clone(),
            ..DreamRequest::default()
        };
        let (cancel, output) = (CancelToken::new(), Some(render.output.clone()));
        let events = Watched { watch, cancel: &cancel };
        let shown = match &render.wanted {
            Wanted::Picture { sixteen, .. } => {
                let source = Some(match render.source.clone() {
                    Source::File(path) => crate::Source::Picture(path),
                    Source::Noise { width, height } => crate::Source::Noise { width, height },
                });
                let sixteen_bits = *sixteen;
                let job = StillJob { source, output, sixteen_bits, dream, ..StillJob::default() };
                job.run(&events, &cancel)?;
                render.output.clone()
            }
            Wanted::Zoom { seconds, motion, fps, .. } => {
                let motion = motion.as_deref().map(motion_of).transpose()?;
                let (seconds, fps) = (*seconds, FrameRate::new(u64::from(*fps), 1));
                let job = ZoomJob {
                    output,
                    seconds,
                    motion,
                    fps,
                    dream,
                    ..ZoomJob::new(moving(render)?)
                };
                job.run(&events, &cancel)?;
                newest_frame(&render.output)?
            }
            Wanted::Video { start, end, .. } => {
                let (start, end) = (*start, *end);
                let job = VideoJob { output, start, end, dream, ..VideoJob::new(moving(render)?) };
                job.run(&events, &cancel)?;
                return videos::poster(&render.output, SMALL, Run::new(&(), &cancel));
            }
            Wanted::Sample { at, .. } => {
                self.try_frames(at, (render, recipe), (&events, &cancel))?;
                render.output.clone()
            }
        };
        let small = read(&shown, self.memory() / 4)?.flatten();
        Ok(picture::jpeg(small.color(), SMALL, 88))
    }

    /// Dreams on some frames of a video, each by itself, and puts them side by side.
    fn try_frames(
        &self,
        at: &[f64],
        (render, mut recipe): (&Render, Recipe),
        (events, cancel): (&Watched, &CancelToken),
    ) -> Result<()> {
        let output = Output::new(render.output.clone(), false)?;
        let network = self.network(&recipe.model.name)?;
        let machine = self.limits.machine()?;
        let (place, of) = (AtomicUsize::new(0), at.len());
        let parts = |event: Event| {
            if let Some(event) = part_of(event, &place, of) {
                events.event(event);
            }
        };
        let run = Run::new(&parts, cancel);
        let studio =
            Studio { network: &network, machine: &machine, run, previews: None, place: None };
        let assets = lock(&self.decoded).of(&mut recipe, self.memory() / 4, run)?;
        let sheet = videos::tried(moving(render)?, at, &recipe, (&studio, &assets))?;
        output.write(&encode(&sheet, ImageFormat::Jpeg, &recipe.to_toml(), output.path())?)
    }
}

/// The job's own share of all that `of` parts have to do.
fn part_of(event: Event, place: &AtomicUsize, of: usize) -> Option<Event> {
    match event {
        Event::Started(Work::Picture { place: Some((at, _)), .. }) => {
            place.store(at - 1, Ordering::Relaxed);
            None
        }
        Event::Progress(progress) => {
            let total = progress.total.unwrap_or(1).max(1);
            let done = place.load(Ordering::Relaxed) as u64 * total + progress.done;
            Some(Event::Progress(Progress {
                done,
                total: Some(total * of as u64),
                left: None,
                ..progress
            }))
        }
        _ => None,
    }
}

/// The newest frame of the movie at a path.
fn newest_frame(movie: &Path) -> Result<std::path::PathBuf> {
    let frames = Frames::find(&movie.with_extension(""))?;
    let newest = frames.iter().next_back().map(|(_, frame)| frame.to_owned());
    newest.ok_or_else(|| Error::new(Fault::Output, "the movie's frames are gone"))
}

/// The file that a movie, or a part of one, is made of.
///
/// # Errors
/// It is to be made of noise.
fn moving(render: &Render) -> Result<&Path> {
    match (&render.source, &render.wanted) {
        (Source::File(file), _) => Ok(file),
        (Source::Noise { .. }, Wanted::Zoom { .. }) => {
            let what = "a zoom falls into a photo, and this is noise";
            Err(Error::new(Fault::Usage, what).hint("Dream on from it first."))
        }
        _ => Err(Error::new(Fault::Usage, "noise is no video")),
    }
}

fn motion_of(name: &str) -> Result<MotionPreset> {
    serde_json::from_value(name.into())
        .map_err(|_| Error::new(Fault::Usage, format!("there is no motion called {name}")))
}

fn start_size(render: &Render, memory: u64) -> Result<Size> {
    if let Some(Clip { width, height, .. }) = render.clip {
        return Ok(Size::new(height as usize, width as usize));
    }
    Ok(match render.source {
        Source::File(ref path) => size_of(path, memory)?,
        Source::Noise { width, height } => NoiseStart { width, height }.size(),
    })
}

/// Passes on how far a job is, and stops it where that is the answer.
struct Watched<'a> {
    watch: Rendered<'a>,
    cancel: &'a CancelToken,
}

impl Events for Watched<'_> {
    fn event(&self, event: Event) {
        let Event::Progress(Progress { stage, done, total, left, .. }) = event else { return };
        let share = total.map_or(0.0, |total| done as f64 / total.max(1) as f64);
        let left = left.map(|left| left.as_secs_f64());
        let (frame, frames, joins) = match stage {
            Stage::Frame { present, frames, .. } => (Some(present), frames, false),
            Stage::Encoded { frames } => (Some(frames), total, true),
            _ => (None, None, false),
        };
        if let ControlFlow::Break(()) = (self.watch)(Done { share, left, frame, frames, joins }) {
            self.cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use studio::{Change, Lane, Order, Picture, Step, Watch, Workshop as _};

    use super::*;
    use crate::Limits;

    /// What a dream looked like at the end of each octave.
    #[derive(Default)]
    struct Ends(BTreeMap<u32, Vec<u8>>);

    impl Watch for Ends {
        fn laid_out(&mut self, _: &[f64]) {}

        fn step(
            &mut self,
            at: Step,
            picture: &dyn Fn() -> std::sync::Arc<dyn Picture>,
        ) -> ControlFlow<()> {
            if at.step == at.steps {
                self.0.insert(at.octave, picture().jpeg(u32::MAX, 100));
            }
            ControlFlow::Continue(())
        }
    }

    /// A workshop, a photo, and the recipe that it begins with.
    fn room(folder: &Path) -> (Workshop, std::path::PathBuf, String) {
        let file = folder.join("photo.png");
        let size = Size::new(128, 192);
        let bytes: Vec<u8> = (0..3 * size.pixels()).map(|at| (at * 7 % 251) as u8).collect();
        media::Image::from_rgb8(size, &bytes).unwrap().save(&file).unwrap();
        let workshop = Workshop::new(&Limits::default()).unwrap();
        let recipe = workshop.begin(models::BUILT_IN, None).unwrap();
        (workshop, file, recipe)
    }

    #[test]
    fn what_a_format_cannot_hold_is_refused_before_it_is_a_job() {
        let folder = tempfile::tempdir().unwrap();
        let (workshop, file, recipe) = room(folder.path());
        for (extension, can) in [("png", true), ("tiff", true), ("jpg", false), ("webp", false)] {
            let (longest, extension) = (None, extension.to_owned());
            let wanted = Wanted::Picture { longest, extension, sixteen: true };
            let (source, name, clip) = (Source::File(file.clone()), "photo".to_owned(), None);
            let (recipe, output) = (recipe.clone(), folder.path().join("dream"));
            let render = Render { source, name, clip, recipe, wanted, output };
            let foreseen = workshop.foresee(&render);
            assert_eq!(foreseen.is_ok(), can, "{foreseen:?}");
            // Nothing of it is left to the memory that is free.
            if let Ok(foreseen) = foreseen {
                assert!(Recipe::from_toml(&foreseen.recipe).is_ok());
            }
        }
    }

    #[test]
    fn a_network_is_called_by_its_name_and_never_by_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let (workshop, file, recipe) = room(folder.path());
        for path in [file.display().to_string(), "../photo.png".into(), "/dev/zero".into()] {
            let named = recipe.replace("name = \"squeezenet\"", &format!("name = {path:?}"));
            assert_ne!(named, recipe);
            let network = [Change::Network { name: path.clone() }];
            for answer in [
                workshop.import(&named, &recipe).map(drop),
                workshop.differences(&named, &recipe).map(drop),
                workshop.edit(&recipe, &network).map(drop),
                workshop.layers(&path).map(drop),
                workshop.classes(&path).map(drop),
                workshop.begin(&path, None).map(drop),
            ] {
                let said = answer.unwrap_err().detail;
                assert!(said.starts_with("There is no network or file named"), "{path}: {said}");
            }
        }
    }

    #[test]
    fn what_no_movie_can_be_made_of_is_refused_before_it_is_a_job() {
        let folder = tempfile::tempdir().unwrap();
        let (workshop, file, recipe) = room(folder.path());
        let zoom = |motion: Option<&str>| {
            let motion = motion.map(str::to_owned);
            Wanted::Zoom { seconds: 1.0, motion, fps: 10, longest: 64 }
        };
        let sample = |frames: usize| Wanted::Sample { at: vec![0.0; frames], longest: 64 };
        let noise = Source::Noise { width: 128, height: 96 };
        let photo = Source::File(file);
        for (source, wanted, why) in [
            (&noise, zoom(None), "this is noise"),
            (&noise, sample(1), "is no video"),
            (&photo, zoom(Some("waltz")), "no motion called waltz"),
            (&photo, sample(0), "1 to 4 frames"),
            (&photo, sample(5), "1 to 4 frames"),
            (&photo, zoom(Some("drift")), ""),
            (&photo, sample(4), ""),
        ] {
            let (name, output) = ("start".to_owned(), folder.path().join("dream"));
            let (source, recipe, clip) = (source.clone(), recipe.clone(), None);
            let foreseen = workshop.foresee(&Render { source, name, clip, recipe, wanted, output });
            let said = foreseen.err().map_or(String::new(), |failure| failure.detail);
            assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{why}: {said}");
        }
    }

    #[test]
    fn a_preview_is_the_first_octaves_of_the_render() {
        let folder = tempfile::tempdir().unwrap();
        let (workshop, file, recipe) = room(folder.path());
        let set = |path: &str, value: u32| Change::Set { path: path.into(), value: value.into() };
        let changes = [set("octaves.anchor", 96), set("ascent.iterations", 2)];
        let recipe = workshop.edit(&recipe, &changes).unwrap();
        let noise = Source::Noise { width: 192, height: 128 };
        for source in [Source::File(file), noise] {
            let ends = |longest: u32| {
                let (source, recipe) = (source.clone(), recipe.clone());
                let mut ends = Ends::default();
                let order = Order { source, recipe, longest, lane: Lane::Steered };
                studio::Workshop::dream(&workshop, &order, &mut ends).unwrap();
                ends.0
            };
            let (preview, whole) = (ends(96), ends(192));
            assert!(preview.len() > 1 && whole.len() > preview.len());
            for (octave, picture) in &preview {
                assert!(whole[octave] == *picture, "{source:?}: octave {octave} is another one");
            }
        }
    }
}
