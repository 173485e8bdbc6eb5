// lib: math, cell
// The simple RNN has one gate: h' = tanh(x + a).

fn cell_step(x: vec4<f32>, a: vec4<f32>, before: vec2<f32>) -> Step {
  let h = tanh_f(a.x + x.x);
  return Step(vec2<f32>(h, 0.0), vec4<f32>(h, 0.0, 0.0, 0.0));
}

fn cell_grad(d: vec2<f32>, before: vec2<f32>, kept: vec4<f32>) -> StepGrad {
  let dz = vec4<f32>(d.x * (1.0 - kept.x * kept.x), 0.0, 0.0, 0.0);
  return StepGrad(dz, dz, vec2<f32>());
}
