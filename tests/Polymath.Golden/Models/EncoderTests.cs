using System.Text.Json;
using Polymath.Models;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Golden.Models;

/// <summary>
/// Every encoder, pooling and ranking head on a tiny random model against llama.cpp on the same file. The values were made
/// by tools/reference/logits.c; tools/reference/README.md says how.
/// </summary>
public sealed class EncoderTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");

    public static TheoryData<string> Names => [.. TinyArchitectures.Encoders.Keys];

    private sealed record Golden(int[] Positions, float[][] Rows);

    public void Dispose() => File.Delete(_path);

    [Theory]
    [MemberData(nameof(Names))]
    public void Vectors_and_scores_are_those_of_the_reference(string name)
    {
        float difference = Difference(name);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {difference:E1}");
        Assert.InRange(difference, 0, ToleranceOf(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bits_depend_neither_on_the_texts_beside_nor_on_the_threads(string name)
    {
        TinyArchitectures.Encoders[name]().Write(_path);
        int[][] texts = [.. new[] { 48, 1, 7, 200, 33, 34, 16, 150 }.Select((length, i) => Ids(length, 3 + i))];
        float[][]? expected = null;
        foreach ((int threads, int batch) in new[] { (1, 1), (2, 64), (3, 4096) })
        {
            using TextEncoder encoder = Load(threads, batch);
            float[][] vectors = encoder.CanRank ? encoder.Classify(texts) : encoder.Embed(texts);
            expected ??= vectors;
            Assert.Equal(expected, vectors);
            Assert.Equal(expected[^1], encoder.CanRank ? encoder.Classify([texts[^1]])[0] : encoder.Embed(texts[^1]));
        }
    }

    [Fact]
    public void The_table_in_the_documentation_is_true() => DocumentedTable.Check(
        "encoders", [.. TinyArchitectures.Encoders.Keys], name => (Difference(name), ToleranceOf(name)));

    [Fact]
    public void The_files_are_written_where_the_reference_looks_for_them()
    {
        string? folder = Environment.GetEnvironmentVariable("POLYMATH_WRITE_TINY");
        Assert.SkipWhen(folder is null, "writes the tiny models into POLYMATH_WRITE_TINY when that is set");
        folder = Directory.CreateDirectory(Path.Combine(folder!, "encoders")).FullName;
        foreach ((string name, Func<TinyFile> make) in TinyArchitectures.Encoders)
            make().Write(Path.Combine(folder, name + ".gguf"));
        File.WriteAllText(Path.Combine(folder, "ids.txt"), string.Join(',', Ids(48, 11)));
    }

    private static int[] Ids(int count, int start) => [.. Enumerable.Range(0, count).Select(i => ((i * 37) + start) % TinyFile.Vocabulary)];

    /// <summary>llama.cpp's GELU goes through a table in F16; those without it are exact.</summary>
    private static float ToleranceOf(string name) =>
        name is "nomic-bert" or "modern-bert-silu" || name.StartsWith("qwen3", StringComparison.Ordinal) || name.StartsWith("llama", StringComparison.Ordinal)
            ? 1e-4f : 4e-3f;

    private TextEncoder Load(int threads, int batch)
    {
        TextEncoder named = TextEncoder.Load(_path, new TextEncoderOptions { Threads = threads, BatchTokens = batch, Normalize = false });
        if (named.Pooling != Pooling.None)
            return named;
        named.Dispose();
        return TextEncoder.Load(
            _path, new TextEncoderOptions { Threads = threads, BatchTokens = batch, Normalize = false, Pooling = Pooling.Mean });
    }

    /// <summary>Largest difference from the reference's values, as a share of its largest.</summary>
    private float Difference(string name)
    {
        TinyArchitectures.Encoders[name]().Write(_path);
        string data = Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "encoders", name + ".json");
        Golden golden = JsonSerializer.Deserialize<Golden>(File.ReadAllText(data), JsonSerializerOptions.Web)!;
        int[] ids = Ids(48, 11);
        using TextEncoder encoder = TextEncoder.Load(_path, new TextEncoderOptions { Normalize = false });
        float[][] ours = encoder.Pooling switch
        {
            Pooling.None => encoder.EmbedTokens(ids),
            Pooling.Rank => encoder.Classify([ids]),
            _ => [encoder.Embed(ids)],
        };
        float largest = 0, difference = 0;
        for (int i = 0; i < golden.Positions.Length; i++)
        {
            float[] expected = golden.Rows[i], actual = ours[golden.Positions[i]];
            Assert.Equal(expected.Length, actual.Length);
            Assert.True(expected.Distinct().Count() > expected.Length / 2);   // values that say something
            for (int c = 0; c < expected.Length; c++)
            {
                largest = Math.Max(largest, Math.Abs(expected[c]));
                difference = Math.Max(difference, Math.Abs(expected[c] - actual[c]));
            }
        }

        return difference / largest;
    }
}
