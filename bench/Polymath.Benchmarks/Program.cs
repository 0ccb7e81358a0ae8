using BenchmarkDotNet.Running;
using Polymath.Benchmarks;

// `gemm` measures matrix products as a share of the chip's peak, `tokenize` the speed of encoding; `make-model` writes a
// model with random weights; anything else is for BenchmarkDotNet.
switch (args)
{
    case ["gemm"]:
        GemmSpeed.Run();
        return 0;
    case ["tokenize", _, _, ..]:
        TokenizeSpeed.Run(args[1..]);
        return 0;
    case ["make-model", ..]:
        return MakeModel.Run(args[1..]);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(MatMulBenchmarks).Assembly).Run(args);
        return 0;
}
