using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Polymath.Benchmarks;

/// <summary>Short runs in this process, and the speed of each as a share of the chip's limit.</summary>
internal sealed class MicroConfig : ManualConfig
{
    public MicroConfig()
    {
        AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.DontLogOutput));
        AddLogger(NullLogger.Instance);
        AddColumn(TargetMethodColumn.Method, StatisticColumn.Median, StatisticColumn.StdDev, new SpeedColumn(), new OfLimitColumn());
        AddColumnProvider(DefaultColumnProviders.Params);
        WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.JoinSummary);
        WithUnionRule(ConfigUnionRule.AlwaysUseLocal);
    }

    private static KernelWork WorkOf(BenchmarkCase benchmark)
    {
        var instance = (IKernelBenchmark)Activator.CreateInstance(benchmark.Descriptor.Type)!;
        foreach (var parameter in benchmark.Parameters.Items)
            benchmark.Descriptor.Type.GetProperty(parameter.Name)!.SetValue(instance, parameter.Value);
        return instance.WorkOf(benchmark.Descriptor.WorkloadMethod.Name);
    }

    /// <summary>Bytes or operations a second; 0 for a benchmark that failed.</summary>
    private static double SpeedOf(Summary summary, BenchmarkCase benchmark) =>
        summary[benchmark]?.ResultStatistics is { } times ? WorkOf(benchmark).Amount / (times.Median * 1e-9) : 0;

    private sealed class SpeedColumn : KernelColumn
    {
        public override string ColumnName => "Speed";

        public override string Legend => "Work of the run over its median time";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
            string.Create(CultureInfo.InvariantCulture, $"{SpeedOf(summary, benchmarkCase) / 1e9:0.0} {WorkOf(benchmarkCase).Unit}");
    }

    private sealed class OfLimitColumn : KernelColumn
    {
        public override string ColumnName => "Of limit";

        public override string Legend => "Share of what one thread of this machine does at best: reading memory or cache, or multiply-adds";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            Limit limit = WorkOf(benchmarkCase).Limit;
            double most = MachineLimits.Of(limit), share = SpeedOf(summary, benchmarkCase) / most;
            return string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} % of {limit.ToString().ToLowerInvariant()}, {most / 1e9:0}");
        }
    }

    private abstract class KernelColumn : IColumn
    {
        public string Id => ColumnName;

        public abstract string ColumnName { get; }

        public abstract string Legend { get; }

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public abstract string GetValue(Summary summary, BenchmarkCase benchmarkCase);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    }
}
