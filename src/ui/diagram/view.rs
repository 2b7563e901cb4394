//! The diagram as a component.

use super::drawing::{Drawing, StackBlock};
use super::formula::{Formula, parse, tspans};
use super::motion::Motion;
use super::phi_overlay::shapes;
use super::shapes::{Flow, Form, Line, Part, arrow_head, rounded};
use crate::base::grouped;
use crate::config::RunConfig;
use yew::prelude::*;

/// What [`Diagram`] draws.
#[derive(Properties, PartialEq)]
pub struct DiagramProps {
    /// The run.
    pub config: RunConfig,
    /// How what gets a gradient moves.
    #[prop_or_default]
    pub motion: Motion,
    /// A narrow page: the opened block alone.
    #[prop_or_default]
    pub compact: bool,
}

/// What the caption below the drawing is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eyed {
    Part(usize),
    Block(usize),
}

/// The network with its frozen and its trained parts, the method's formula and the shapes of φ.
#[component]
pub fn Diagram(props: &DiagramProps) -> Html {
    let model = props.config.shape().model;
    let layers = model.num_hidden_layers;
    let chosen = use_state_eq(|| None::<usize>);
    // A base may have fewer blocks than the one before.
    let first = use_memo(props.config.clone(), Drawing::first_opened);
    let opened = chosen.filter(|layer| *layer < layers).unwrap_or(*first);
    let drawing = use_memo((props.config.clone(), opened, props.compact), |(config, opened, compact)| {
        Drawing::new(config, *opened, *compact)
    });
    let eyed = use_state_eq(|| None::<Eyed>);
    let eye = {
        let eyed = eyed.setter();
        Callback::from(move |what| eyed.set(what))
    };
    let open = {
        let chosen = chosen.setter();
        Callback::from(move |layer| chosen.set(Some(layer)))
    };

    let label = format!(
        "The network with {layers} blocks and {}: {} of its {} parameters are trained",
        props.config.methods().map(|m| m.info().title).collect::<Vec<_>>().join(" and "),
        grouped(props.config.trainable()),
        grouped(props.config.all_parameters())
    );
    let panel = drawing.panel;
    let view = format!("0 0 {:.0} {:.0}", drawing.width, drawing.height);
    // The drawing's own proportions and letters: larger than that it grows only where the page's letters do.
    let style =
        format!("--width:{:.2}rem;aspect-ratio:{:.0}/{:.0}", drawing.width / 16.0, drawing.width, drawing.height);
    html! {
        <div class={classes!("diagram", props.motion.class(), props.compact.then_some("compact"))}>
            <svg viewBox={view} {style} role="group" aria-label={label}>
                <rect class="panel" x={px(panel.x)} y={px(panel.y)} width={px(panel.w)} height={px(panel.h)} rx="8" />
                <g>{ for drawing.canvas.lines.iter().map(line) }</g>
                <g>{ for drawing.blocks.iter().map(|b| stack_block(b, b.layer == opened, &drawing, &open, &eye)) }</g>
                <g>{ for drawing.canvas.parts.iter().enumerate().map(|(i, p)| part(i, p, &eye)) }</g>
                <g>
                    { for drawing.canvas.notes.iter().map(|n| html! {
                        <text class="note" x={px(n.x)} y={px(n.y)}>{ tspans(&parse(&n.text), 11.0) }</text>
                    }) }
                </g>
            </svg>
            <p class="diagram-caption">{ caption(*eyed, &drawing) }</p>
            <p class="diagram-formula">
                { for props.config.methods().map(|m| html! { <Formula text={m.method().formula(&model)} /> }) }
                <span class="shapes"><Formula text={shapes(&props.config)} /></span>
            </p>
        </div>
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn points(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

fn line(line: &Line) -> Html {
    let class = match line.flow {
        Flow::Main => "flow",
        Flow::Phi => "flow phi",
        Flow::Tie => "tie",
        Flow::Zoom => "zoom",
    };
    let head = line.arrow.then(|| arrow_head(&line.points)).flatten();
    html! {
        <g class={class}>
            <path d={rounded(&line.points)} />
            { head.map(|head| html! { <polygon points={points(&head)} /> }) }
        </g>
    }
}

/// Looking at a part by pointer, finger or key; looking away leaves the caption empty.
fn watch(
    what: Eyed,
    eye: &Callback<Option<Eyed>>,
) -> (Callback<PointerEvent>, Callback<PointerEvent>, Callback<FocusEvent>, Callback<FocusEvent>) {
    let on = move |eye: Callback<Option<Eyed>>| move || eye.emit(Some(what));
    let off = |eye: Callback<Option<Eyed>>| move || eye.emit(None);
    let (enter, focus) = (on(eye.clone()), on(eye.clone()));
    let (leave, blur) = (off(eye.clone()), off(eye.clone()));
    (
        Callback::from(move |_| enter()),
        // A lifted finger leaves too: what it touched stays.
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() != "touch" {
                leave()
            }
        }),
        Callback::from(move |_| focus()),
        Callback::from(move |_| blur()),
    )
}

fn part(i: usize, part: &Part, eye: &Callback<Option<Eyed>>) -> Html {
    let (onpointerenter, onpointerleave, onfocus, onblur) = watch(Eyed::Part(i), eye);
    let a = part.area;
    let form = match part.form {
        Form::Box => html! { <rect x={px(a.x)} y={px(a.y)} width={px(a.w)} height={px(a.h)} rx="4" /> },
        Form::Pill => html! { <rect x={px(a.x)} y={px(a.y)} width={px(a.w)} height={px(a.h)} rx={px(a.h / 2.0)} /> },
        Form::Widening | Form::Narrowing | Form::WideningRight | Form::NarrowingRight => {
            html! { <polygon points={points(&part.corners())} /> }
        }
        Form::Plus => {
            let (x, y, r) = (a.x + a.w / 2.0, a.y + a.h / 2.0, a.w / 2.0);
            let cross = format!(
                "M{:.1} {y:.1}h{:.1}M{x:.1} {:.1}v{:.1}",
                x - r + 3.0,
                2.0 * r - 6.0,
                y - r + 3.0,
                2.0 * r - 6.0
            );
            html! { <><circle cx={px(x)} cy={px(y)} r={px(r)} /><path d={cross} /></> }
        }
        Form::Vectors(n) => {
            let pitch = (a.w - a.h) / (n.max(2) - 1) as f64;
            let square = |i: usize| html! { <rect x={px(a.x + i as f64 * pitch)} y={px(a.y)} width={px(a.h)} height={px(a.h)} rx="2" /> };
            // Between the squares it is still the row that one points at.
            let (x, y, w, h) = (px(a.x - 2.0), px(a.y - 4.0), px(a.w + 4.0), px(a.h + 8.0));
            html! { <><rect class="hit" {x} {y} width={w} height={h} />{ for (0..n).map(square) }</> }
        }
    };
    let kind = match part.form {
        Form::Plus => "plus",
        Form::Pill => "pill",
        _ => "",
    };
    let class = classes!("part", kind, if part.trained { "trained" } else { "frozen" }, part.moved.then_some("moved"));
    let spoken = part.spoken();
    html! {
        <g {class} tabindex="0" role="img" aria-label={spoken.clone()} {onpointerenter} {onpointerleave} {onfocus} {onblur}>
            <title>{ spoken }</title>
            { form }
            { written(part) }
        </g>
    }
}

/// A part's label: words in the page's face, symbols in the maths face.
fn written(part: &Part) -> Option<Html> {
    if part.label.is_empty() {
        return None;
    }
    let a = part.area;
    let (symbol, letter) = (part.is_symbol(), part.drawn_letter());
    let style = format!("font-size:{letter:.1}px");
    Some(html! {
        <text class={symbol.then_some("symbol")} {style} x={px(a.x + a.w / 2.0)} y={px(a.y + a.h / 2.0 + 0.34 * letter)} text-anchor="middle">
            { tspans(&parse(&part.label), letter) }
        </text>
    })
}

fn stack_block(
    block: &StackBlock,
    open: bool,
    drawing: &Drawing,
    choose: &Callback<usize>,
    eye: &Callback<Option<Eyed>>,
) -> Html {
    let layer = block.layer;
    let (onpointerenter, onpointerleave, onfocus, onblur) = watch(Eyed::Block(layer), eye);
    let onclick = {
        let choose = choose.clone();
        Callback::from(move |_: MouseEvent| choose.emit(layer))
    };
    let onkeydown = {
        let choose = choose.clone();
        Callback::from(move |event: KeyboardEvent| {
            if matches!(event.key().as_str(), "Enter" | " ") {
                event.prevent_default();
                choose.emit(layer);
            }
        })
    };
    let a = block.area;
    let class = classes!(
        "part",
        "block",
        if block.trained { "trained" } else { "frozen" },
        block.moved.then_some("moved"),
        open.then_some("open")
    );
    let spoken = block_spoken(layer, drawing);
    // Letters as high as a thin block; of very thin ones every fifth is named.
    let letter = (1.25 * a.h).min((a.h - 4.0).max(8.0)).clamp(7.0, 12.0);
    let named = a.h >= 5.5 || open || (layer + 1).is_multiple_of(5) || layer == 0;
    html! {
        <g {class} tabindex="0" role="button" aria-pressed={open.to_string()} aria-label={spoken.clone()}
            {onclick} {onkeydown} {onpointerenter} {onpointerleave} {onfocus} {onblur}>
            <title>{ spoken }</title>
            <rect x={px(a.x)} y={px(a.y)} width={px(a.w)} height={px(a.h)} rx={px((a.h / 4.0).min(5.0))} />
            { for named.then(|| html! {
                <text style={format!("font-size:{letter:.1}px")} x={px(a.x + 12.0)} y={px(a.y + a.h / 2.0 + 0.34 * letter)}>
                    { format!("Block {}", layer + 1) }
                </text>
            }) }
            { for block.marks.iter().map(|mark| html! { <polygon class="mark" points={points(mark)} /> }) }
        </g>
    }
}

fn block_spoken(layer: usize, drawing: &Drawing) -> String {
    let (all, trained) = drawing.block_counts(layer);
    format!("Block {} of {}, {} parameters, {} trained", layer + 1, drawing.layers, grouped(all), grouped(trained))
}

fn caption(eyed: Option<Eyed>, drawing: &Drawing) -> Html {
    match eyed {
        // The configuration may have changed under the pointer.
        Some(Eyed::Part(i)) => match drawing.canvas.parts.get(i) {
            Some(part) => html! {
                <><b class={part.trained.then_some("phi")}><Formula text={part.name.clone()} /></b>{ " " }{ part.caption(if part.trained { drawing.alike() } else { drawing.layers }) }</>
            },
            None => html! {},
        },
        Some(Eyed::Block(layer)) => html! { block_spoken(layer, drawing) },
        None if drawing.blocks.is_empty() => html! { "Touch a part: its shape and count." },
        None => html! { "Point at a part: its shape and count. Choose a block to open it." },
    }
}
