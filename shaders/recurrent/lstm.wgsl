// lib: math, cell
// The LSTM's gates are i, f, g, o: c' = f c + i g;  h' = o tanh(c').

fn cell_step(x: vec4<f32>, a: vec4<f32>, before: vec2<f32>) -> Step {
  let i = sigmoid_f(a.x + x.x);
  let f = sigmoid_f(a.y + x.y);
  let g = tanh_f(a.z + x.z);
  let o = sigmoid_f(a.w + x.w);
  let c = f * before.y + i * g;
  return Step(vec2<f32>(o * tanh_f(c), c), vec4<f32>(i, f, g, o));
}

fn cell_grad(d: vec2<f32>, before: vec2<f32>, kept: vec4<f32>) -> StepGrad {
  let i = kept.x;
  let f = kept.y;
  let g = kept.z;
  let o = kept.w;
  let a = tanh_f(f * before.y + i * g);
  let dc = d.y + d.x * o * (1.0 - a * a);
  let dz = vec4<f32>(dc * g * i * (1.0 - i), dc * before.y * f * (1.0 - f), dc * i * (1.0 - g * g), d.x * a * o * (1.0 - o));
  return StepGrad(dz, dz, vec2<f32>(0.0, dc * f));
}
