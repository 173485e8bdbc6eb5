// Gates f, n: n = tanh(x_n + f a_n);  h' = (1 - f) h + f n.

fn cell_step(x: vec4<f32>, a: vec4<f32>, before: vec2<f32>) -> Step {
  let f = sigmoid_f(x.x + a.x);
  let n = tanh_f(x.y + f * a.y);
  return Step(vec2<f32>((1.0 - f) * before.x + f * n, 0.0), vec4<f32>(f, n, a.y, 0.0));
}

fn cell_grad(d: vec2<f32>, before: vec2<f32>, kept: vec4<f32>) -> StepGrad {
  let f = kept.x;
  let n = kept.y;
  let dn = d.x * f * (1.0 - n * n);
  let df = (d.x * (n - before.x) + dn * kept.z) * f * (1.0 - f);
  return StepGrad(vec4<f32>(df, dn, 0.0, 0.0), vec4<f32>(df, dn * f, 0.0, 0.0), vec2<f32>(d.x * (1.0 - f), 0.0));
}
