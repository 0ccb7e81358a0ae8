using Polymath.Cli;
using Polymath.Files;

namespace Polymath.Benchmarks;

/// <summary>
/// <c>make-model SHAPE TYPE OUT</c>: a GGUF file with the shapes of a real model and random weights, in the formats that
/// `polymath quantize` gives its tensors. For speed, memory and loading; the text it writes is noise.
/// </summary>
internal static class MakeModel
{
    public static int Run(string[] arguments)
    {
        if (arguments is not [string name, string type, string output]
            || Array.Find(ModelShape.All, s => s.Name == name) is not { } shape || QuantizationMix.Find(type) is not { } mix)
        {
            Console.Error.WriteLine("usage: make-model SHAPE TYPE OUT.gguf");
            Console.Error.WriteLine($"SHAPE: {string.Join(", ", ModelShape.All.Select(s => s.Name))}");
            Console.Error.WriteLine($"TYPE: {string.Join(", ", QuantizationMix.All.Select(m => m.Name))}");
            return 2;
        }

        using var source = new RandomWeights(shape);
        var plan = new QuantizationPlan(source, mix, pure: false, hasImportance: false);
        List<GgufWriter.Entry> entries =
            [.. source.Tensors.Select(t => QuantizationPlan.Entry(source, t, plan.FormatOf(t), [], 0, CancellationToken.None))];
        Metadata metadata = source.Metadata;
        metadata.Set("general.file_type", mix.FileType);
        if (entries.Exists(e => QuantizationPlan.IsQuantized(e.Format)))
            metadata.Set("general.quantization_version", QuantizationPlan.FormatVersion);
        GgufWriter.Write(output, metadata, entries);
        Console.WriteLine($"{output}: {string.Join(", ", Formats(entries))}");
        return 0;
    }

    private static IEnumerable<string> Formats(List<GgufWriter.Entry> entries) =>
        entries.CountBy(e => e.Format).OrderByDescending(f => f.Value).Select(f => $"{f.Value} {f.Key}");
}
