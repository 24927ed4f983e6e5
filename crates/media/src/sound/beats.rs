//! Where a sound's beats are: the path of nearly even steps over the moments at which most came into its
//! spectrum (Ellis, "Beat Tracking by Dynamic Programming", 2007).

use super::WINDOWS;

/// The tempo that is looked for first, in seconds a beat, and how many octaves others may be off.
const USUAL: f64 = 0.5;
const OCTAVES: f64 = 0.9;

/// The shortest and the longest beat, in seconds.
const SHORTEST: f64 = 0.25;
const LONGEST: f64 = 1.5;

/// How much more an even step counts than a strong moment.
const EVENNESS: f64 = 100.0;

/// How long a pulse takes to fall to a third, in seconds.
const FALL: f64 = 0.15;

/// A curve that jumps to 1 at each beat and falls until the next; of nothing but 0 where there is none.
pub(super) fn pulses(onsets: &[f32]) -> Vec<f32> {
    let mut curve = vec![0.0; onsets.len()];
    for beat in beats(onsets) {
        curve[beat] = 1.0;
    }
    let falls = (-1.0 / (FALL * WINDOWS as f64)).exp() as f32;
    let mut last = 0.0;
    for value in &mut curve {
        last = f32::max(*value, last * falls);
        *value = last;
    }
    curve
}

/// The windows that have a beat.
fn beats(onsets: &[f32]) -> Vec<usize> {
    let count = onsets.len() as f64;
    let mean = onsets.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let squares = onsets.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>();
    let deviation = (squares / count).sqrt();
    if deviation.is_nan() || deviation < 1e-6 {
        return Vec::new();
    }
    let strength: Vec<f64> = onsets.iter().map(|x| (f64::from(*x) - mean) / deviation).collect();
    let Some(period) = period(&strength) else { return Vec::new() };

    // The best path that ends at each window, and the beat before it there.
    let mut best = strength.clone();
    let mut before = vec![None; strength.len()];
    for at in 0..strength.len() {
        let steps = (period / 2.0).round() as usize..=(2.0 * period).round() as usize;
        let paths = steps.filter_map(|step| {
            let from = at.checked_sub(step)?;
            let uneven = (step as f64 / period).ln();
            Some((best[from] - EVENNESS * uneven * uneven, from))
        });
        // A beginning is worth nothing more than itself.
        if let Some((value, from)) = paths.max_by(|a, b| a.0.total_cmp(&b.0))
            && value > 0.0
        {
            best[at] += value;
            before[at] = Some(from);
        }
    }
    let last_beat = strength.len().saturating_sub(period.round() as usize);
    let end = (last_beat..strength.len()).max_by(|a, b| best[*a].total_cmp(&best[*b]));
    let mut path: Vec<usize> = std::iter::successors(end, |at| before[*at]).collect();
    path.reverse();
    path
}

/// How many windows there are to a beat: those after which the sound is most like itself, near the usual tempo;
/// `None` of too short a sound.
fn period(strength: &[f64]) -> Option<f64> {
    let windows = |seconds: f64| (seconds * WINDOWS as f64) as usize;
    let likeness = |lag: usize| {
        let pairs = strength.iter().zip(strength.get(lag..).unwrap_or_default());
        let octaves = (lag as f64 / (USUAL * WINDOWS as f64)).log2() / OCTAVES;
        pairs.map(|(a, b)| a * b).sum::<f64>() * (-0.5 * octaves * octaves).exp()
    };
    let lags = windows(SHORTEST)..=windows(LONGEST).min(strength.len() / 2);
    let best = lags.max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)))?;
    Some(best as f64)
}
