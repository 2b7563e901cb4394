//! What a method costs, as bars to one scale: the dialog, and the two bars beside the count.

use super::dialog::DialogFrame;
use crate::base::grouped;
use crate::config::RunConfig;
use crate::ledger::{Ledger, REAL_TOKENS, RealModel, Setting, Training, bytes, families, flops};
use crate::model::Family;
use crate::peft::MethodConfig;
use crate::ui::state::{Action, Costing, State, significant};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// Memory of graphics cards that people know.
const CARDS: [(u64, &str); 3] = [(24_000_000_000, "24 GB"), (80_000_000_000, "80 GB"), (640_000_000_000, "8 × 80 GB")];
/// Tasks whose φ are stored, in the last lines of the table.
const TASKS: u64 = 100;

/// (class, name) of the parts of a training step's memory.
const PARTS: [(&str, &str); 6] = [
    ("theta", "θ, frozen"),
    ("phi", "φ"),
    ("gradients", "gradients of φ"),
    ("moments", "AdamW’s two moments"),
    ("activations", "activations of the text"),
    ("in-front", "activations of what stands in front"),
];

/// (class, name) of the parts of a step's work.
const WORK: [(&str, &str); 3] = [("forward", "forward"), ("backward", "backward"), ("moments", "optimizer")];

/// A method with what it costs.
struct Priced {
    label: String,
    ledger: Ledger,
    /// The most bytes that were counted in a run here, and its milliseconds a step.
    counted: Option<u64>,
    ms: Option<f64>,
}

impl Priced {
    fn training(&self) -> Option<&Training> {
        self.ledger.training.as_ref()
    }

    /// Bytes of each of [`PARTS`].
    fn memory(&self) -> [u64; 6] {
        self.training().map_or([self.ledger.inference.theta, 0, 0, 0, 0, 0], |training| {
            let memory = &training.memory;
            let [theta, phi, gradients, moments, activations] = memory.parts();
            [theta, phi, gradients, moments, activations - memory.in_front, memory.in_front]
        })
    }

    fn work(&self) -> [f64; 3] {
        self.training().map_or([0.0; 3], |t| [t.forward.total(), t.backward.total(), t.optimizer])
    }
}

/// The dialog.
pub struct CostDialog;

impl CostDialog {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let children = if state.costs.open {
            inside(state, on)
        } else {
            html! {}
        };
        html! {
            <DialogFrame open={state.costs.open} label="What it costs" class="costs" close={Action::Costing(Costing::Open(false))} on={on.clone()}>
                { children }
            </DialogFrame>
        }
    }
}

fn inside(state: &State, on: &Callback<Action>) -> Html {
    let other = state.against();
    let price = |config: &RunConfig| {
        let here = Setting::of(config);
        let setting = state.costs.model.map_or(here.clone(), |model| here.on(model));
        let (counted, ms) = if state.costs.model.is_none() { state.measured_step(config) } else { (None, None) };
        // A method may have nothing to train on another model.
        setting.check().map_err(|fault| format!("{}: {}", config.label(), fault.message))?;
        Ok::<_, String>(Priced { label: config.label(), ledger: setting.ledger(), counted, ms })
    };
    let beside = other.method.info().name != state.config.method.info().name;
    let all: Vec<_> = std::iter::once(&state.config).chain(beside.then_some(&other)).map(price).collect();
    let faults: Vec<&String> = all.iter().filter_map(|priced| priced.as_ref().err()).collect();
    let faults: Html = faults.into_iter().map(|fault| html! { <p class="fault" role="alert">{ fault }</p> }).collect();
    let priced: Vec<Priced> = all.into_iter().flatten().collect();
    if priced.is_empty() {
        return html! { <><h2>{ "What it costs" }</h2>{ choosers(state, on) }{ faults }</> };
    }
    html! {
        <>
            <h2>{ "What it costs" }</h2>
            <p class="question">{ "Known before anything is trained: it follows from shapes." }</p>
            { choosers(state, on) }
            { faults }
            { memory(&priced, state.costs.model.is_some()) }
            { work(&priced) }
            { figures(&priced) }
            <p class="caption">{ words(state) }</p>
        </>
    }
}

/// What the method is compared with, and on which model.
fn choosers(state: &State, on: &Callback<Action>) -> Html {
    let choose = |make: fn(String) -> Costing| {
        let on = on.clone();
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            on.emit(Action::Costing(make(select.value())));
        })
    };
    let method = |method: &MethodConfig| {
        let info = method.info();
        html! { <option value={info.name} selected={info.name == state.costs.against}>{ info.title }</option> }
    };
    let shape = state.config.shape().model;
    let base = format!("{} · {} parameters", state.config.base.called(), grouped(shape.parameters()));
    let model = |model: &RealModel| {
        html! { <option value={model.id} selected={state.costs.model == RealModel::named(model.id)}>{ model.title }</option> }
    };
    let group = |family: &Family| {
        html! { <optgroup label={family.title}>{ for family.published.iter().map(model) }</optgroup> }
    };
    html! {
        <div class="choosers">
            <div class="field"><label for="cost-against">{ "Beside" }</label>
                <select id="cost-against" onchange={choose(Costing::Against)}>{ for MethodConfig::all().iter().map(method) }</select></div>
            <div class="field"><label for="cost-model">{ "On" }</label>
                <select id="cost-model" onchange={choose(Costing::Model)}>
                    <option value="" selected={state.costs.model.is_none()}>{ base }</option>
                    { for families().filter(|family| !family.published.is_empty()).map(group) }
                </select></div>
        </div>
    }
}

/// Bars of parts, all to one scale, which ends at `most`.
fn bar(parts: &[(&'static str, &'static str, f64)], most: f64, show: impl Fn(f64) -> String) -> Html {
    let segment = |(class, name, value): &(&'static str, &'static str, f64)| {
        let width = format!("width:{:.3}%", 100.0 * value / most);
        let title = format!("{name}: {}", show(*value));
        (*value > 0.0).then(|| html! { <span class={classes!("part", *class)} style={width} {title} /> })
    };
    html! { <div class="stacked">{ for parts.iter().filter_map(segment) }</div> }
}

fn memory(priced: &[Priced], real: bool) -> Html {
    let most = priced.iter().map(|p| p.memory().iter().sum::<u64>().max(p.peak()).max(p.counted.unwrap_or(0)));
    let most = most.max().unwrap_or(1).max(1) as f64;
    let cards = CARDS.iter().filter(|(size, _)| real && (*size as f64) < most).map(|(size, name)| {
        let left = format!("left:{:.3}%", 100.0 * *size as f64 / most);
        html! { <span class="card-size" style={left}><i />{ *name }</span> }
    });
    let cards: Vec<Html> = cards.collect();
    let row = |p: &Priced| {
        let values = p.memory();
        let parts: Vec<_> = PARTS.iter().zip(values).map(|((class, name), v)| (*class, *name, v as f64)).collect();
        let mark = |at: u64, class: &'static str, title: String| {
            html! { <i class={classes!("mark", class)} style={format!("left:{:.3}%", 100.0 * at as f64 / most)} {title} /> }
        };
        let total = match p.training() {
            Some(_) => format!("{} at the most", bytes(p.peak())),
            None => "nothing is trained".into(),
        };
        let told = p.counted.map(|counted| format!(", {} counted", bytes(counted)));
        html! {
            <div class="priced">
                <p><b>{ &p.label }</b><span>{ total }{ told }</span></p>
                <div class="to-scale">
                    { bar(&parts, most, |v| bytes(v as u64)) }
                    { for p.training().map(|_| mark(p.peak(), "expected", format!("the most at one moment: {}", bytes(p.peak())))) }
                    { for p.counted.map(|counted| mark(counted, "counted", format!("counted in the latest run: {}", bytes(counted)))) }
                </div>
            </div>
        }
    };
    let used: Vec<&(&str, &str)> = PARTS
        .iter()
        .enumerate()
        .filter(|(i, _)| priced.iter().any(|p| p.memory()[*i] > 0))
        .map(|(_, part)| part)
        .collect();
    html! {
        <section class="bars" aria-label="Memory of a training step">
            <h3>{ "Memory to train" }</h3>
            { for priced.iter().map(row) }
            { for (!cards.is_empty()).then(|| html! { <div class="card-sizes" aria-hidden="true">{ cards }</div> }) }
            <p class="key">{ for used.iter().map(|(class, name)| html! { <span><i class={classes!("part", *class)} />{ *name }</span> }) }
                <span><i class="mark expected" />{ "most at one moment" }</span>
                { for priced.iter().any(|p| p.counted.is_some()).then(|| html! { <span><i class="mark counted" />{ "counted here" }</span> }) }
            </p>
        </section>
    }
}

fn work(priced: &[Priced]) -> Html {
    let most = priced.iter().map(|p| p.work().iter().sum::<f64>()).fold(0.0, f64::max);
    if most == 0.0 {
        return html! {};
    }
    let row = |p: &Priced| {
        let parts: Vec<_> = WORK.iter().zip(p.work()).map(|((class, name), v)| (*class, *name, v)).collect();
        let total: f64 = p.work().iter().sum();
        html! {
            <div class="priced">
                <p><b>{ &p.label }</b><span>{ flops(total) }</span></p>
                <div class="to-scale">{ bar(&parts, most, flops) }</div>
            </div>
        }
    };
    html! {
        <section class="bars" aria-label="Work of a training step">
            <h3>{ "Work of a step" }</h3>
            { for priced.iter().map(row) }
            <p class="key">{ for WORK.iter().map(|(class, name)| html! { <span><i class={classes!("part", *class)} />{ *name }</span> }) }</p>
        </section>
    }
}

impl Priced {
    /// The most bytes at one moment of a step.
    fn peak(&self) -> u64 {
        self.training().map_or(0, |t| t.memory.peak.bytes)
    }
}

/// The same as numbers, and what using φ costs.
fn figures(priced: &[Priced]) -> Html {
    let row = |name: &str, value: &dyn Fn(&Priced) -> String| {
        html! { <tr><th scope="row">{ name }</th>{ for priced.iter().map(|p| html! { <td>{ value(p) }</td> }) }</tr> }
    };
    let trained = |p: &Priced, value: &dyn Fn(&Training) -> String| p.training().map_or("–".into(), value);
    let head = |title: &str| {
        html! { <tr class="head"><th scope="col">{ title }</th>{ for priced.iter().map(|p| html! { <th scope="col">{ &p.label }</th> }) }</tr> }
    };
    // What the operations took, and how many that is in a second.
    let measured = |p: &Priced| match p.ms {
        Some(ms) => format!("{} ms, {}/s", significant(ms), flops(p.work().iter().sum::<f64>() / ms * 1e3)),
        None => "–".into(),
    };
    let part = |(i, (_, name)): (usize, &(&str, &'static str))| {
        let used = priced.iter().any(|p| p.memory()[i] > 0);
        used.then(|| row(name, &|p| bytes(p.memory()[i])))
    };
    html! {
        <table>
            <tbody>
                { head("Training, bytes") }
                { for PARTS.iter().enumerate().filter_map(part) }
                { row("most at one moment", &|p| trained(p, &|t| bytes(t.memory.peak.bytes))) }
                { for priced.iter().any(|p| p.counted.is_some()).then(|| row("counted in a run here", &|p| p.counted.map_or("–".into(), bytes))) }
            </tbody>
            <tbody>
                { head("Training, a step") }
                { row("forward", &|p| trained(p, &|t| flops(t.forward.total()))) }
                { row("backward", &|p| trained(p, &|t| flops(t.backward.total()))) }
                { row("optimizer", &|p| trained(p, &|t| flops(t.optimizer))) }
                { for priced.iter().any(|p| p.ms.is_some()).then(|| row("measured in a run here", &measured)) }
            </tbody>
            <tbody>
                { head("Inference, one text") }
                { row("θ and φ", &|p| bytes(p.ledger.inference.theta + p.ledger.inference.phi)) }
                { row("cached keys and values", &|p| bytes(p.ledger.inference.cache)) }
                { row("positions, of these in front", &|p| format!("{}, {}", grouped(p.ledger.inference.positions as usize), p.ledger.inference.positions_in_front)) }
                { row("reading the text", &|p| flops(p.ledger.inference.text)) }
                { row("one more token", &|p| flops(p.ledger.inference.token)) }
                { row("merged into θ", &|p| match &p.ledger.not_merged { None => flops(p.ledger.inference.token_of_theta), Some(_) => "cannot be".into() }) }
            </tbody>
            <tbody>
                { head("Storage") }
                { row("φ of one task", &|p| bytes(p.ledger.stored)) }
                { row(&format!("φ of {TASKS} tasks"), &|p| bytes(TASKS * p.ledger.stored)) }
            </tbody>
        </table>
    }
}

fn words(state: &State) -> String {
    let setting = Setting::of(&state.config);
    let batch = &setting.batch;
    match state.costs.model {
        Some(_) => format!(
            "One sequence of {REAL_TOKENS} tokens, single precision, nothing recomputed; trained copies stand in θ’s place. AdamW keeps 16 bytes for a trained parameter (itself, its gradient, two moments) and 4 for a frozen one; activations come on top. Shapes: each model’s config.json; OPT’s largest: Zhang et al., 2022."
        ),
        None => format!(
            "{} sequences of {} tokens a step, single precision{}. Frozen parameters have no gradients and no moments. Here θ stays whole beside its trained copies, so that one can go back to it. Activations are given up as gradients are made, and working buffers come and go: the mark shows the most at one moment.",
            batch.sequences,
            batch.length,
            // Their gradients are summed, so only one is there at a time.
            match setting.parts {
                1 => String::new(),
                parts => format!(", in {parts} parts one after the other: memory is that of one"),
            }
        ),
    }
}

/// What the short comparison is drawn from.
#[derive(Properties, PartialEq)]
pub struct BesideProps {
    pub config: RunConfig,
    pub against: RunConfig,
    pub on: Callback<Action>,
}

/// Two bars beside the count: the present method's memory and the other's.
#[component]
pub fn Beside(props: &BesideProps) -> Html {
    let price = |config: &RunConfig| Priced {
        label: config.label(),
        ledger: Setting::of(config).ledger(),
        counted: None,
        ms: None,
    };
    let mut priced = vec![price(&props.config)];
    if props.against.method.info().name != props.config.method.info().name {
        priced.push(price(&props.against));
    }
    let most = priced.iter().map(|p| p.memory().iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
    let onclick = {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::Costing(Costing::Open(true))))
    };
    let row = |p: &Priced| {
        let parts: Vec<_> = PARTS.iter().zip(p.memory()).map(|((class, name), v)| (*class, *name, v as f64)).collect();
        let peak = if p.training().is_some() { bytes(p.peak()) } else { "–".into() };
        html! { <div class="priced"><p><span class="name">{ &p.label }</span><span>{ peak }</span></p>{ bar(&parts, most, |v| bytes(v as u64)) }</div> }
    };
    html! {
        <button type="button" class="beside" title="Memory, work and storage, for this model and for large ones" {onclick}>
            <span class="caption">{ "memory to train" }</span>
            { for priced.iter().map(row) }
            <span class="link">{ "What it costs" }</span>
        </button>
    }
}
