//! The size that the page gives an element, followed as it changes.

use super::layout::Size;
use wasm_bindgen::prelude::*;
use web_sys::Element;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The browser's observer of sizes.
    type ResizeObserver;
    #[wasm_bindgen(constructor, catch)]
    fn new(callback: &js_sys::Function) -> Result<ResizeObserver, JsValue>;
    #[wasm_bindgen(method)]
    fn observe(this: &ResizeObserver, element: &Element);
    #[wasm_bindgen(method)]
    fn disconnect(this: &ResizeObserver);
}

/// What is drawn before the element has been measured.
const FIRST: Size = Size { width: 400.0, height: 240.0, letter: 12.0 };

/// The size of the element that the reference is given to, and of its letters.
#[hook]
pub fn use_size(node: &NodeRef) -> Size {
    let size = use_state_eq(|| FIRST);
    use_effect_with(node.clone(), {
        let size = size.setter();
        move |node| {
            let element = node.cast::<Element>();
            let measure = {
                let element = element.clone();
                move || {
                    if let Some(measured) = element.as_ref().and_then(measured) {
                        size.set(measured);
                    }
                }
            };
            measure();
            let callback = Closure::<dyn Fn()>::new(measure);
            let observer = element.and_then(|element| {
                let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
                observer.observe(&element);
                Some(observer)
            });
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(callback);
            }
        }
    });
    *size
}

/// `None` for an element that is not shown.
fn measured(element: &Element) -> Option<Size> {
    let rect = element.get_bounding_client_rect();
    let style = web_sys::window()?.get_computed_style(element).ok()??;
    let letter = style.get_property_value("font-size").ok()?;
    let letter: f64 = letter.trim_end_matches("px").parse().ok()?;
    let shown = rect.width() >= 1.0 && rect.height() >= 1.0;
    shown.then(|| Size { width: rect.width().round(), height: rect.height().round(), letter })
}
