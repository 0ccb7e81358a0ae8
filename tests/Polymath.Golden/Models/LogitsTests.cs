using System.Text.Json;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Golden.Models;

/// <summary>
/// Every architecture on a tiny random model against llama.cpp on the same file. The values were made by
/// tools/reference/logits.c; tools/reference/README.md says how.
/// </summary>
public sealed class LogitsTests : IDisposable
{
    /// <summary>Largest difference allowed, as a share of the largest logit. llama.cpp's GELU goes through a table in F16.</summary>
    private const float Tolerance = 1e-4f, GeluTolerance = 4e-3f;

    private static readonly SessionOptions s_exact = new() { KeyFormat = TensorFormat.F32, ValueFormat = TensorFormat.F32 };
    private static readonly string[] s_withGelu = ["gemma2", "gemma3", "gpt2", "starcoder2"];

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public static TheoryData<string> Names => [.. TinyArchitectures.Decoders.Keys];

    private sealed record Golden(int[] Positions, float[][] Rows);

    /// <summary>The ids that the reference was given too.</summary>
    private static int[] Ids => [.. Enumerable.Range(0, 48).Select(i => ((i * 37) + 11) % TinyFile.Vocabulary)];

    public void Dispose() => File.Delete(_path);

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_are_those_of_the_reference(string name)
    {
        float difference = Difference(name);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {difference:E1}");
        Assert.InRange(difference, 0, ToleranceOf(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bits_do_not_depend_on_threads_or_on_the_split_of_the_text(string name)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        foreach (TensorFormat format in new[] { TensorFormat.F32, TensorFormat.F16 })
        {
            float[]? expected = null;
            foreach ((int threads, int split) in new[] { (1, 48), (2, 1), (3, 13) })
            {
                using Model model = Model.Load(_path, new ModelOptions { Threads = threads, BatchSize = 16 });
                using Session session = model.NewSession(new SessionOptions { KeyFormat = format, ValueFormat = format });
                float[] logits = [];
                for (int from = 0; from < Ids.Length; from += split)
                    logits = session.Forward(Ids.AsSpan(from, Math.Min(split, Ids.Length - from))).ToArray();
                expected ??= logits;
                Assert.Equal(expected, logits);
            }
        }
    }

    [Fact]
    public void The_table_in_the_documentation_is_true() => DocumentedTable.Check(
        "table", [.. TinyArchitectures.Decoders.Keys], name => (Difference(name), ToleranceOf(name)));

    [Fact]
    public void The_files_are_written_where_the_reference_looks_for_them()
    {
        string? folder = Environment.GetEnvironmentVariable("POLYMATH_WRITE_TINY");
        Assert.SkipWhen(folder is null, "writes the tiny models into POLYMATH_WRITE_TINY when that is set");
        Directory.CreateDirectory(folder!);
        foreach ((string name, Func<TinyFile> make) in TinyArchitectures.Decoders)
            make().Write(Path.Combine(folder!, name + ".gguf"));
        File.WriteAllText(Path.Combine(folder!, "ids.txt"), string.Join(',', Ids));
    }

    private static float ToleranceOf(string name) => s_withGelu.Any(name.StartsWith) ? GeluTolerance : Tolerance;

    /// <summary>Largest difference from the reference's logits, as a share of its largest.</summary>
    private float Difference(string name)
    {
        TinyArchitectures.Decoders[name]().Write(_path);
        string data = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "logits", name + ".json");
        Golden golden = JsonSerializer.Deserialize<Golden>(File.ReadAllText(data), JsonSerializerOptions.Web)!;
        using Model model = Model.Load(_path);
        using Session session = model.NewSession(s_exact);
        Tensor logits = session.ForwardAll(Ids);
        float largest = 0, difference = 0;
        for (int i = 0; i < golden.Positions.Length; i++)
        {
            Span<float> row = logits.Row(golden.Positions[i]);
            Assert.Equal(golden.Rows[i].Length, row.Length);
            Assert.True(golden.Rows[i].Distinct().Count() > row.Length / 2);   // values that say something
            for (int v = 0; v < row.Length; v++)
            {
                largest = Math.Max(largest, Math.Abs(golden.Rows[i][v]));
                difference = Math.Max(difference, Math.Abs(golden.Rows[i][v] - row[v]));
            }
        }

        return difference / largest;
    }
}
