using System.Text;
using Polymath.Files;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>Damaged importance matrices of both formats: a clear error, or numbers that can be used.</summary>
public sealed class ImportanceMutationTests : IDisposable
{
    private const int Seed = 11, Rounds = 3_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mutated_files_are_refused_clearly_or_load(bool isGguf) => Run(isGguf, Load).Check(Rounds);

    [Theory]
    [InlineData(true, "without counts")]
    [InlineData(true, "not finite")]
    [InlineData(true, "no importance matrix")]
    [InlineData(false, "entries")]
    [InlineData(false, "values at byte")]
    [InlineData(false, "name at byte")]
    [InlineData(false, "is there twice")]
    [InlineData(false, "not finite")]
    [InlineData(false, "calls")]
    public void A_reader_without_one_of_the_checks_is_found_out(bool isGguf, string check)
    {
        HostileRun run = Run(isGguf, bytes =>
        {
            try
            {
                Load(bytes);
            }
            catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
            {
                throw new InvalidOperationException("planted");
            }
        });
        Assert.Contains("planted", run.FirstBad(Rounds) ?? "nothing found");
    }

    private HostileRun Run(bool isGguf, Action<byte[]> load) =>
        new(isGguf ? "imatrix" : "old imatrix", Seed, [isGguf ? Gguf() : Legacy()], load);

    private void Load(byte[] bytes)
    {
        string path = _folder["mutated"];
        File.WriteAllBytes(path, bytes);
        foreach ((string name, ImportanceMatrix.Entry entry) in ImportanceMatrix.Open(path).Entries)
        {
            if (!entry.Means().All(value => float.IsFinite(value) && value >= 0))
                throw new InvalidOperationException($"{name} has means that are none");
        }
    }

    private Specimen Gguf()
    {
        var matrix = new ImportanceMatrix { Datasets = ["text"], Chunks = 3, ChunkLength = 256 };
        matrix.Add("blk.0.attn_q.weight", new([1, 2, 3, 4], [7]));
        matrix.Add("blk.0.ffn_up_exps.weight", new([1, 2, 3, 4, 5, 6], [7, 0, 9]));
        matrix.Write(_folder["valid"]);
        return new Specimen("new", File.ReadAllBytes(_folder["valid"]));
    }

    private static Specimen Legacy()
    {
        var bytes = new List<byte>();
        var fields = new List<int>();
        void Number(int value)
        {
            fields.Add(bytes.Count);
            bytes.AddRange(BitConverter.GetBytes(value));
        }

        void Text(string text)
        {
            Number(text.Length);
            bytes.AddRange(Encoding.UTF8.GetBytes(text));
        }

        Number(2);
        foreach (string name in (string[])["blk.0.attn_q.weight", "blk.1.attn_q.weight"])
        {
            Text(name);
            Number(5);
            Number(3);
            foreach (float value in (float[])[1, 2.5f, 3])
                bytes.AddRange(BitConverter.GetBytes(value));
        }

        Number(9);
        Text("text");
        return new Specimen("old", [.. bytes], fields, bytes.Count);
    }
}
