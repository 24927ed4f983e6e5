//! Dreams on raw frames (interleaved RGB of 8 bits) and prints what each frame's dream is like, as
//! comma-separated values: `flicker FRAMES WIDTH HEIGHT RECIPE.toml DREAMS [NETWORK]`. The dreams
//! are written to the file `DREAMS`, likewise raw. What `tools/flicker/compare.py` plots.

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use dream::{
    Ascent, FlickerMeter, Machine, Observer, Octaves, Plan, Progress, Recipe, Tensor, VideoDreamer,
    dream,
};
use graph::{Network, Shape, Size};
use kernels::{Context, CpuLevel, Threads};

/// Remembers the last objective.
#[derive(Default)]
struct Objective(f64);

impl Observer for Objective {
    fn step(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        self.0 = progress.objective;
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [frames, width, height, recipe, dreams, rest @ ..] = &arguments[..] else {
        return Err("usage: flicker FRAMES WIDTH HEIGHT RECIPE.toml DREAMS [NETWORK]".into());
    };
    let network = match rest.first() {
        Some(path) => models::load(path.as_ref())?,
        None => models::squeezenet()?,
    };
    let recipe = Recipe::from_toml_for(&std::fs::read_to_string(recipe)?, &network)?;
    let context = Context::new(Threads::new(0)?, CpuLevel::detect()?);
    let backend = Arc::new(cpu::Cpu::new(context.clone()));
    let machine = Machine { backend, context, memory: u64::MAX, scratch: Default::default() };
    let (width, height): (usize, usize) = (width.parse()?, height.parse()?);
    let mut dreamer = VideoDreamer::new(&recipe, &network, &machine, Size::new(height, width))?;
    let look = look(dreamer.recipe(), &network, &machine, dreamer.size())?;
    let mut flicker = FlickerMeter::default();
    let mut bytes = vec![0; 3 * width * height];
    let mut frames = BufReader::new(File::open(frames)?);
    let mut dreams = BufWriter::new(File::create(dreams)?);
    println!("frame,seconds,strength,brightness,objective,source_objective,dream,source,share");
    for number in 0u64.. {
        if frames.read_exact(&mut bytes).is_err() {
            break;
        }
        let source = picture(&bytes, height, width);
        let begun = std::time::Instant::now();
        let dream = dreamer.frame(source.clone(), &mut Objective::default())?;
        let seconds = begun.elapsed().as_secs_f64();
        let objectives = [objective(&look, &dream)?, objective(&look, &source)?];
        dreams.write_all(&interleaved(&dream))?;
        let reading = flicker.frame(machine.context.threads(), source, dream);
        let change = reading
            .warping_error
            .map_or([f64::NAN; 3], |error| [error.dream, error.source, error.share]);
        let values = [seconds, reading.strength, reading.brightness];
        let values = values.iter().chain(&objectives).chain(&change);
        let values: Vec<String> = values.map(|value| format!("{value:.5}")).collect();
        println!("{number},{}", values.join(","));
    }
    dreams.flush()?;
    Ok(())
}

/// The plan of a single step that goes nowhere: what the layers make of a picture as it is.
fn look(
    recipe: &Recipe,
    network: &Network,
    machine: &Machine,
    size: Size,
) -> Result<Plan, Box<dyn Error>> {
    let mut recipe = recipe.clone();
    recipe.octaves.count = 1;
    recipe.octaves.anchor = Octaves::FULL;
    recipe.ascent = Ascent { iterations: 1, step: 0.0, jitter: 0, ..recipe.ascent };
    Ok(Plan::new(&recipe, network, size, machine)?)
}

fn objective(look: &Plan, picture: &Tensor) -> Result<f64, Box<dyn Error>> {
    let mut objective = Objective::default();
    dream(look, picture.clone(), &mut objective)?;
    Ok(objective.0)
}

fn picture(bytes: &[u8], height: usize, width: usize) -> Tensor {
    let mut picture = Tensor::zeros(Shape::new(3, height, width));
    for channel in 0..3 {
        let values = bytes[channel..].iter().step_by(3);
        for (value, byte) in picture.channel_mut(channel).iter_mut().zip(values) {
            *value = f32::from(*byte);
        }
    }
    picture
}

fn interleaved(picture: &Tensor) -> Vec<u8> {
    let plane = picture.shape.plane();
    let value = |index: usize| picture.data[index % 3 * plane + index / 3];
    (0..3 * plane).map(|index| (value(index) + 0.5) as u8).collect()
}
