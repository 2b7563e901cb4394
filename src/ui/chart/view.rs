//! The chart as a component.

use super::{Reference, Series, Unit};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct ChartProps {
    pub series: Vec<Series>,
    #[prop_or_default]
    pub references: Vec<Reference>,
    pub unit: Unit,
    /// Right end of the axis.
    pub steps: usize,
    /// What is measured (`exact match`).
    pub label: AttrValue,
}

/// Curves over steps.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    html! { <div class="chart" role="img" aria-label={props.label.clone()}></div> }
}
