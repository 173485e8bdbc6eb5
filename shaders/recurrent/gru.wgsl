// lib: math, cell
// The GRU's gates are z, r, n: n = tanh(x_n + r a_n);  h' = (1 - z) n + z h.

fn cell_step(x: vec4<f32>, a: vec4<f32>, before: vec2<f32>) -> Step {
  let z = sigmoid_f(a.x + x.x);
  let r = sigmoid_f(a.y + x.y);
  let n = tanh_f(x.z + r * a.z);
  return Step(vec2<f32>((1.0 - z) * n + z * before.x, 0.0), vec4<f32>(z, r, n, a.z));
}

fn cell_grad(d: vec2<f32>, before: vec2<f32>, kept: vec4<f32>) -> StepGrad {
  let z = kept.x;
  let r = kept.y;
  let n = kept.z;
  let dn = d.x * (1.0 - z) * (1.0 - n * n);
  let dz = d.x * (before.x - n) * z * (1.0 - z);
  let dr = dn * kept.w * r * (1.0 - r);
  return StepGrad(vec4<f32>(dz, dr, dn, 0.0), vec4<f32>(dz, dr, dn * r, 0.0), vec2<f32>(d.x * z, 0.0));
}
