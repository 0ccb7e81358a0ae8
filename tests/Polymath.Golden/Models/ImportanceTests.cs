using Polymath.Cli;
using Polymath.Files;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Golden.Models;

/// <summary>
/// Every architecture's importance matrix against the one that llama-imatrix makes of the same file and text. The matrices in
/// Data/imatrix are its own files, made by tools/reference/imatrix.mjs; tools/reference/README.md says how.
/// </summary>
public sealed class ImportanceTests : IDisposable
{
    /// <summary>Largest difference allowed, as a share of the tensor's largest mean. llama.cpp's GELU goes through a table in F16.</summary>
    private const float Tolerance = 1e-5f, GeluTolerance = 2e-3f;

    private const string TextName = "text.txt";
    private const int Context = 64, Chunks = 4;

    private static readonly string[] s_withGelu = ["gemma2", "gemma3", "gpt2", "starcoder2"];

    private readonly string _folder = Directory.CreateTempSubdirectory("polymath-imatrix-").FullName;

    public static TheoryData<string> Names => [.. TinyArchitectures.Decoders.Keys];

    /// <summary>A token for each character; not quite five chunks.</summary>
    private static string Text => string.Concat(Enumerable.Range(0, 310).Select(i => i % 7 == 6 ? ' ' : (char)('!' + (i * i * 37 % 94))));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Sums_and_counts_are_those_of_llama_imatrix(string name)
    {
        ImportanceMatrix expected = ImportanceMatrix.Open(DataPath(name)), actual = Measure(name, "--process-output");
        Assert.Equal(expected.Entries.Keys.Order(StringComparer.Ordinal), actual.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((Chunks, Context), (expected.Chunks, expected.ChunkLength));
        Assert.Equal((expected.Chunks, expected.ChunkLength), (actual.Chunks, actual.ChunkLength));
        Assert.Equal([TextName], expected.Datasets);
        Assert.Equal(expected.Datasets, actual.Datasets);
        float difference = 0;
        foreach ((string tensor, ImportanceMatrix.Entry entry) in expected.Entries)
        {
            Assert.Equal(entry.Counts, actual.Entries[tensor].Counts);
            Assert.Equal(entry.Sums.Length, actual.Entries[tensor].Sums.Length);
            float[] means = entry.Means(), ours = actual.Entries[tensor].Means();
            Assert.True(means.Distinct().Count() > means.Length / 2);   // values that say something
            difference = Math.Max(difference, means.Zip(ours, (a, b) => Math.Abs(a - b)).Max() / means.Max());
        }

        AssertLaidOutAlike(DataPath(name), MatrixPath(name));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {difference:E1}");
        Assert.InRange(difference, 0, s_withGelu.Any(name.StartsWith) ? GeluTolerance : Tolerance);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_matrix_of_the_blocks_has_its_entry_and_quantize_takes_them(string name)
    {
        ImportanceMatrix matrix = Measure(name);
        using (GgufFile model = GgufFile.Open(ModelPath(name)))
        {
            IEnumerable<TensorInfo> matrices = model.Tensors.Where(t =>
                t.Name.StartsWith("blk.", StringComparison.Ordinal) && t.Name.EndsWith(".weight", StringComparison.Ordinal)
                && !t.Name.Contains("norm", StringComparison.Ordinal) && !t.Name.Contains("nextn", StringComparison.Ordinal)
                && !t.Name.EndsWith("attn_sinks.weight", StringComparison.Ordinal) && !t.Name.EndsWith("ssm_conv1d.weight", StringComparison.Ordinal)
                && !(name == "qwen35-odd" && t.Name.StartsWith("blk.4.", StringComparison.Ordinal)));   // the block that guesses ahead
            Assert.Equal(matrices.Select(t => t.Name).Order(StringComparer.Ordinal), matrix.Entries.Keys.Order(StringComparer.Ordinal));
        }

        string quantized = Path.Combine(_folder, "out.gguf");
        Assert.Equal(0, Command("quantize", ModelPath(name), quantized, "Q4_0", "--imatrix", MatrixPath(name)).Code);
        using GgufFile file = GgufFile.Open(quantized);
        Assert.Equal(matrix.Entries.Count, file.Metadata.GetInt32("quantize.imatrix.entries_count"));
        Assert.Equal(TextName, file.Metadata.GetString("quantize.imatrix.dataset"));
    }

    [Fact]
    public void The_files_are_written_where_the_reference_looks_for_them()
    {
        string? folder = Environment.GetEnvironmentVariable("POLYMATH_WRITE_TINY");
        Assert.SkipWhen(folder is null, "writes the tiny models into POLYMATH_WRITE_TINY when that is set");
        folder = Directory.CreateDirectory(Path.Combine(folder!, "imatrix")).FullName;
        foreach (string name in TinyArchitectures.Decoders.Keys)
            WriteModel(name, Path.Combine(folder, name + ".gguf"));
        File.WriteAllText(Path.Combine(folder, TextName), Text);
    }

    /// <summary>The files differ in the values of their tensors alone.</summary>
    private static void AssertLaidOutAlike(string expected, string actual)
    {
        Assert.Equal(new FileInfo(expected).Length, new FileInfo(actual).Length);
        using GgufFile one = GgufFile.Open(expected), other = GgufFile.Open(actual);
        Assert.Equal(one.Metadata.Select(pair => pair.Key), other.Metadata.Select(pair => pair.Key));
        Assert.Equal(one.Tensors.Select(Describe), other.Tensors.Select(Describe));

        static string Describe(TensorInfo t) => $"{t.Name} {t.Format} {string.Join('x', t.Dimensions)}";
    }

    private static string DataPath(string name) => Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "imatrix", name + ".gguf");

    private string ModelPath(string name) => Path.Combine(_folder, name + ".gguf");

    private string MatrixPath(string name) => Path.Combine(_folder, name + ".imatrix");

    /// <summary>Models with a begin token and models without one.</summary>
    private static void WriteModel(string name, string path) =>
        TinyArchitectures.Decoders[name]().WithVocabulary(addsBegin: !name.StartsWith("qwen", StringComparison.Ordinal)).Write(path);

    private ImportanceMatrix Measure(string name, params string[] options)
    {
        WriteModel(name, ModelPath(name));
        string text = Path.Combine(_folder, TextName);
        File.WriteAllText(text, Text);
        string[] exact = ["-c", $"{Context}", "--cache-type-k", "F32", "--cache-type-v", "F32"];
        Assert.Equal((0, ""), Command(["imatrix", ModelPath(name), text, "-o", MatrixPath(name), .. exact, .. options]));
        return ImportanceMatrix.Open(MatrixPath(name));
    }

    private static (int Code, string Error) Command(params string[] args)
    {
        using var error = new StringWriter { NewLine = "\n" };
        using var terminal = new Terminal(Stream.Null, Stream.Null, error);
        return (CommandLine.Run(args, terminal), error.ToString());
    }
}
