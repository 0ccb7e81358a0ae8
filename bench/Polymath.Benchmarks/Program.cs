using BenchmarkDotNet.Running;
using Polymath.Benchmarks;

// `gemm` measures matrix products as a share of the chip's peak; anything else is for BenchmarkDotNet.
if (args is ["gemm"])
    GemmSpeed.Run();
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
