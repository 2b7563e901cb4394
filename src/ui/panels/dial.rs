//! The dial of θ ⊕ λφ.

use crate::config::MOST_LAMBDA;
use crate::ui::state::{Action, Dial, percent, significant};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Steps of the dial: twenty to λ = 1.
const STEPS: f64 = 20.0;

/// A slider for λ, what was measured there, and a sketch of all that was.
pub fn dial(dial: &Dial, on: &Callback<Action>) -> Html {
    let lambda = dial.lambda();
    let oninput = {
        let on = on.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Ok(step) = input.value().parse::<f64>() {
                on.emit(Action::Dial(step / STEPS));
            }
        })
    };
    let measured = match dial.measured {
        Some((at, loss, accuracy, n)) => html! {
            <span class="measured" title={format!("loss {} on {n} held-out examples", significant(loss))}>
                { format!("{} at λ = {at:.2}", percent(accuracy)) }
            </span>
        },
        None => html! { <span class="measured caption">{ "0: θ alone, 1: θ with φ" }</span> },
    };
    let (value, last) = ((lambda * STEPS).round(), MOST_LAMBDA * STEPS);
    let style = format!("--fill:{:.0}%", 100.0 * value / last);
    // A sketch of accuracy over λ, wherever the dial has been.
    let at = |(l, a): &(f64, f64)| format!("{:.1},{:.1}", 2.0 + 76.0 * l / MOST_LAMBDA, 22.0 - 20.0 * a);
    let sketch = (dial.points.len() > 1).then(|| {
        html! {
            <svg viewBox="0 0 80 24" class="sketch" role="img" aria-label={format!("Accuracy at {} values of λ", dial.points.len())}>
                <polyline points={dial.points.iter().map(at).collect::<Vec<_>>().join(" ")} />
            </svg>
        }
    });
    html! {
        <div class="dial">
            <label for="dial">{ "θ ⊕ λφ" }</label>
            <input id="dial" type="range" min="0" max={last.to_string()} step="1" value={value.to_string()} {style}
                aria-label="λ" aria-valuetext={format!("{lambda:.2}")} {oninput} />
            { measured }
            { sketch }
        </div>
    }
}
