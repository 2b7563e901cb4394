//! The chart as a component: it draws a [`Layout`] and follows pointer and keys.

use super::layout::Layout;
use super::names::Name;
use super::sample::{nearest, stop_at, stop_beside, stops};
use super::scale::{step_text, value_text};
use super::series::{Reference, Series, Tone, Unit};
use super::size::use_size;
use super::summary::summary;
use super::text::Text;
use yew::prelude::*;

/// What a chart is drawn from.
#[derive(Properties, PartialEq)]
pub struct ChartProps {
    /// Drawn in this order: the last one on top.
    pub series: Vec<Series>,
    /// Levels to compare with.
    #[prop_or_default]
    pub references: Vec<Reference>,
    /// How values are scaled and written.
    pub unit: Unit,
    /// Right end of the axis; longer runs stretch it.
    pub steps: usize,
    /// What is measured (`Held-out exact match by step`).
    pub label: AttrValue,
}

/// Curves over steps, as large as the element that holds them.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let node = use_node_ref();
    let size = use_size(&node);
    let crosshair = use_state_eq(|| None::<f64>);
    let clip = use_memo((), |()| format!("chart-plot-{:x}", (js_sys::Math::random() * 1e15) as u64));
    let places = use_mut_ref(Vec::new);

    let layout = Layout::new(size, &props.series, &props.references, props.unit, props.steps, &places.borrow());
    *places.borrow_mut() = props
        .series
        .iter()
        .zip(&layout.curves)
        .filter_map(|(s, c)| Some((s.id.clone(), c.name.as_ref()?.place)))
        .collect();

    let stands = stops(props.series.iter().map(|s| s.points.as_slice()));
    // A new run may have no point where the crosshair stood.
    let step = (*crosshair).and_then(|step| stop_at(&stands, step));
    let onpointer = {
        let (node, x, stands, crosshair) = (node.clone(), layout.x, stands.clone(), crosshair.clone());
        Callback::from(move |event: PointerEvent| {
            let Some(element) = node.cast::<web_sys::Element>() else { return };
            let px = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
            crosshair.set(stop_at(&stands, x.value(px)));
        })
    };
    let onpointerleave = {
        let crosshair = crosshair.clone();
        // A finger leaves when it is lifted: what it asked for stays until it asks elsewhere.
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() != "touch" {
                crosshair.set(None);
            }
        })
    };
    let onkeydown = {
        let (stands, crosshair, last) = (stands.clone(), crosshair.clone(), stands.last().copied());
        Callback::from(move |event: KeyboardEvent| {
            let leap = (stands.len() / 10).max(1) as isize;
            let here = step.or(last);
            let beside = |by: isize| here.and_then(|step| stop_beside(&stands, step, by));
            let there = match event.key().as_str() {
                "ArrowLeft" if step.is_some() => beside(-1),
                "ArrowRight" if step.is_some() => beside(1),
                // The first arrow shows the crosshair, at the last step.
                "ArrowLeft" | "ArrowRight" => here,
                "PageDown" => beside(-leap),
                "PageUp" => beside(leap),
                "Home" => stands.first().copied(),
                "End" => last,
                "Escape" => None,
                _ => return,
            };
            event.prevent_default();
            crosshair.set(there);
        })
    };
    let onblur = {
        let crosshair = crosshair.clone();
        Callback::from(move |_: FocusEvent| crosshair.set(None))
    };

    let reading = step.map(|step| Reading::new(step, &props.series, props.unit));
    let label = summary(&props.label, &props.series, &props.references, props.unit, props.steps);
    let view = format!("0 0 {} {}", size.width, size.height);
    html! {
        <div class="chart" ref={node}>
            <svg viewBox={view} tabindex="0" role="img" aria-label={label}
                onpointermove={onpointer.clone()} onpointerdown={onpointer} {onpointerleave} {onkeydown} {onblur}>
                <defs>
                    <clipPath id={(*clip).clone()}>
                        // Room for the width of a curve that lies on an edge.
                        <rect x={px(layout.plot.x - 3.0)} y={px(layout.plot.y - 3.0)}
                            width={px(layout.plot.w + 9.0)} height={px(layout.plot.h + 6.0)} />
                    </clipPath>
                </defs>
                // A group for each list and a node for each option: what comes and goes leaves its
                // neighbours, and the focus, alone.
                <g>{ for layout.grid.iter().map(|y| across("grid", &layout, *y)) }</g>
                <g>{ for layout.axis.iter().map(|t| text("axis", t)) }</g>
                <g>{ for layout.levels.iter().map(|y| across("level", &layout, *y)) }</g>
                <g clip-path={format!("url(#{})", *clip)}>
                    { for props.series.iter().zip(&layout.curves).map(|(s, c)| html! {
                        <path key={s.id.to_string()} class={classes!("curve", tone(s))} d={c.path.clone()} />
                    }) }
                </g>
                <g>
                    { for props.series.iter().zip(&layout.curves).filter(|(s, _)| s.live).filter_map(|(s, c)| {
                        let (x, y) = c.head?;
                        Some(html! { <circle class={classes!("head", tone(s))} cx={px(x)} cy={px(y)} r="4.5" /> })
                    }) }
                </g>
                <g class="crosshair">{ for reading.iter().map(|r| r.crosshair(&layout)) }</g>
                <g>{ for layout.level_names.iter().map(|t| text("level-name", t)) }</g>
                <g>{ for props.series.iter().zip(&layout.curves).filter_map(|(s, c)| Some(name(s, c.name.as_ref()?))) }</g>
            </svg>
            <div aria-hidden="true">{ for reading.iter().map(|r| r.table(&layout)) }</div>
            <p class="chart-spoken" aria-live="polite">{ reading.map(|r| r.spoken()) }</p>
        </div>
    }
}

/// The classes that carry a curve's colour and weight.
fn tone(series: &Series) -> Classes {
    let colour = match series.tone {
        Tone::Phi => "phi".to_string(),
        Tone::Palette(i) => format!("data-{}", i % 5 + 1),
        Tone::Reference => "reference".to_string(),
    };
    let dashed = series.dashed || series.tone == Tone::Reference;
    classes!(colour, series.live.then_some("live"), dashed.then_some("dashed"))
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// A line across the plot; hairlines are sharp on half pixels.
fn across(class: &'static str, layout: &Layout, y: f64) -> Html {
    let y = px(y.round() + 0.5);
    html! { <line {class} x1={px(layout.plot.x)} x2={px(layout.plot.right())} y1={y.clone()} y2={y} /> }
}

fn text(class: &'static str, text: &Text) -> Html {
    html! { <text {class} x={px(text.x)} y={px(text.y)} text-anchor={text.anchor.name()}>{ &text.text }</text> }
}

fn name(series: &Series, name: &Name) -> Html {
    let badge = (!series.badge.is_empty()).then(|| html! { <tspan class="badge" dx="0.4em">{ &series.badge }</tspan> });
    html! {
        <text key={format!("name-{}", series.id)} class={classes!("name", tone(series))} x={px(name.x)} y={px(name.y)}>
            { &series.label }{ badge }
        </text>
    }
}

/// What the crosshair reads: the value of every curve that was measured around its step.
struct Reading<'a> {
    step: f64,
    unit: Unit,
    /// The highest first, as they lie in the plot.
    rows: Vec<(&'a Series, (f64, f64))>,
}

impl<'a> Reading<'a> {
    fn new(step: f64, series: &'a [Series], unit: Unit) -> Reading<'a> {
        let mut rows: Vec<_> = series.iter().filter_map(|s| Some((s, nearest(&s.points, step)?))).collect();
        rows.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
        Reading { step, unit, rows }
    }

    fn crosshair(&self, layout: &Layout) -> Html {
        let x = px(layout.x.px(self.step).round() + 0.5);
        let inside = |y: f64| y.is_finite() && y >= layout.plot.y - 1.0;
        html! {
            <g>
                <line x1={x.clone()} x2={x} y1={px(layout.plot.y)} y2={px(layout.plot.bottom())} />
                { for self.rows.iter().filter(|(_, p)| inside(layout.y.px(p.1))).map(|(s, p)| html! {
                    <circle class={tone(s)} cx={px(layout.x.px(p.0))} cy={px(layout.y.px(p.1))} r="3.5" />
                }) }
            </g>
        }
    }

    /// Beside the crosshair, on the side that has more room.
    fn table(&self, layout: &Layout) -> Html {
        let x = layout.x.px(self.step);
        let left = x > layout.plot.x + layout.plot.w / 2.0;
        let across = layout.plot.right() + layout.plot.x;
        let style = if left {
            format!("right:calc(100% - {x:.0}px + 10px);max-width:{:.0}px", x - 10.0)
        } else {
            format!("left:{:.0}px;max-width:{:.0}px", x + 10.0, across - x)
        };
        html! {
            <div class="chart-reading" {style}>
                <p>{ format!("step {}", step_text(self.step)) }</p>
                { for self.rows.iter().map(|(s, p)| html! {
                    <p class={tone(s)}><i /><span>{ &s.label }</span><b>{ value_text(self.unit, p.1) }</b></p>
                }) }
            </div>
        }
    }

    fn spoken(&self) -> String {
        let rows: Vec<String> =
            self.rows.iter().map(|(s, p)| format!("{} {}", s.label, value_text(self.unit, p.1))).collect();
        format!("Step {}: {}", step_text(self.step), rows.join(", "))
    }
}
