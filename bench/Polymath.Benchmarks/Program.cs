using BenchmarkDotNet.Running;
using Polymath.Benchmarks;

// `gemm` measures matrix products as a share of the chip's peak, `attention` the kernel of that name,
// `tokenize` the speed of encoding; anything else is for BenchmarkDotNet.
if (args is ["gemm"])
    GemmSpeed.Run();
else if (args is ["attention", ..])
    AttentionSpeed.Run(args[1..]);
else if (args is ["tokenize", _, _, ..])
    TokenizeSpeed.Run(args[1..]);
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
