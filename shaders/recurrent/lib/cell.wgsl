// What the functions of a recurrent cell give; the states of a unit are h and, where a cell has a second one, c.

// Of cell_step: the states after a step, and up to four numbers that its gradient needs.
struct Step {
  states: vec2<f32>,
  kept: vec4<f32>,
}

// Of cell_grad: gradients of xz, of the recurrent product, and of the states before the step other than by that product.
struct StepGrad {
  x: vec4<f32>,
  a: vec4<f32>,
  states: vec2<f32>,
}
