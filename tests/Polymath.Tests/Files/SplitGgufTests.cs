using System.Globalization;
using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class SplitGgufTests
{
    private const int Parts = 3;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Any_part_opens_all_with_the_settings_of_the_first(int named)
    {
        using var folder = new TemporaryFolder();
        Write(folder);
        using WeightSource model = WeightSource.Open(folder[Name(named)]);
        Assert.Equal(["a0", "b0", "a1", "b1", "a2", "b2"], model.Tensors.Select(t => t.Name));
        Assert.Equal("llama", model.Architecture);
        Assert.Equal(7, model.Metadata.GetInt32("llama.x"));
        Assert.DoesNotContain(model.Metadata, pair => pair.Key.StartsWith("split.", StringComparison.Ordinal));
        for (int part = 0; part < Parts; part++)
        {
            Assert.Equal([part, part + 1, part + 2, part + 3], model.Read($"a{part}", 2, 2).AsFloats().ToArray());
            Assert.True(model.Contains($"b{part}"));
        }

        Assert.Throws<ModelFormatException>(() => model.Read("a3", 2, 2));
        Assert.Throws<ModelFormatException>(() => model.Read("a1", 4, 1));
        Assert.Equal(Parts, Assert.IsType<SplitGguf>(model).Parts.Count);
    }

    [Fact]
    public void A_file_that_is_part_one_of_one_is_an_ordinary_file()
    {
        using var folder = new TemporaryFolder();
        Write(folder, part => part == 0 ? metadata => metadata.Set("split.count", (ushort)1) : null);
        using WeightSource model = WeightSource.Open(folder[Name(0)]);
        Assert.IsType<GgufFile>(model);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_missing_part_is_named(int missing)
    {
        using var folder = new TemporaryFolder();
        Write(folder);
        File.Delete(folder[Name(missing)]);
        Assert.Contains(Name(missing), Refused(folder, missing == 0 ? 1 : 0));
    }

    [Theory]
    [InlineData("split.count", (ushort)4, "")]             // its name says 3
    [InlineData("split.count", (ushort)60_000, "60000")]
    [InlineData("split.count", "3", "a string")]
    [InlineData("split.no", (ushort)0, "")]
    [InlineData("split.no", (ushort)2, "")]
    [InlineData("split.no", (ushort)3, "")]
    [InlineData("split.no", -1, "")]
    [InlineData("split.tensors.count", 5, "tensors.count")]
    [InlineData("split.tensors.count", -6, "tensors.count")]
    [InlineData("split.tensors.count", 99_999_999, "tensors.count")]
    [InlineData("general.architecture", "qwen2", "qwen2")]
    public void A_part_that_does_not_agree_is_refused_whichever_is_named(string key, object value, string about)
    {
        using var folder = new TemporaryFolder();
        Write(folder, part => part == 1 ? metadata => metadata.Set(key, value) : null);
        for (int named = 0; named < Parts; named++)
            Assert.Contains(named == 1 ? about : "", Refused(folder, named));
    }

    [Theory]
    [InlineData("split.no")]
    [InlineData("split.tensors.count")]
    public void A_part_that_does_not_say_which_it_is_is_refused(string key)
    {
        using var folder = new TemporaryFolder();
        Write(folder, part => part == 1 ? metadata => metadata.Remove(key) : null);
        Assert.Contains(key, Refused(folder, 1));
        Assert.Contains(key, Refused(folder, 0));
    }

    [Fact]
    public void A_tensor_in_two_parts_is_refused_and_named()
    {
        using var folder = new TemporaryFolder();
        Write(folder, tensorName: (letter, part) => part == 2 && letter == 'b' ? "a0" : $"{letter}{part}");
        Assert.Contains("a0", Refused(folder, 0));
    }

    /// <summary>60,000 parts, all there, would be 60,000 open files.</summary>
    [Fact]
    public void More_parts_than_may_be_open_are_refused_before_any_is_sought()
    {
        using var folder = new TemporaryFolder();
        string name = SplitGguf.NameOf("model", 0, 60_000);
        GgufWriter.Write(folder[name], Numbering(0, 60_000, 0), []);
        string message = Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder[name]).Dispose()).Message;
        Assert.Contains(SplitGguf.MaxParts.ToString(CultureInfo.InvariantCulture), message);
    }

    [Theory]
    [InlineData("model.gguf")]
    [InlineData("model-00001-of-00004.gguf")]
    [InlineData("model-00002-of-00003.gguf.gguf")]
    [InlineData("model-1-of-3.gguf")]
    [InlineData("model-00001-of-00003.GGUF")]
    public void A_part_under_another_name_is_refused(string name)
    {
        using var folder = new TemporaryFolder();
        Write(folder);
        File.Copy(folder[Name(0)], folder[name]);
        string message = Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder[name]).Dispose()).Message;
        Assert.Contains("must be named", message);
    }

    /// <summary>Only the name of the opened file leads to the others, so no metadata can point outside its folder.</summary>
    [Fact]
    public void Parts_are_sought_in_the_folder_of_the_named_one_alone()
    {
        using var folder = new TemporaryFolder();
        Write(folder);
        Directory.CreateDirectory(folder["inner"]);
        File.Move(folder[Name(1)], folder[Path.Combine("inner", Name(1))]);
        Assert.Contains("missing", Refused(folder, 0));
        Assert.Contains("missing", Assert.Throws<ModelFormatException>(
            () => WeightSource.Open(folder[Path.Combine("inner", Name(1))]).Dispose()).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Mutated_parts_are_refused_clearly_or_load(int part)
    {
        using var folder = new TemporaryFolder();
        Mutated(folder, part, Load).Check(2_000);
    }

    [Theory]
    [InlineData("of another model")]
    [InlineData("is missing or negative")]
    [InlineData("is possible")]
    [InlineData("tensors in all parts where")]
    public void A_reader_without_one_of_the_checks_is_found_out(string check)
    {
        using var folder = new TemporaryFolder();
        HostileRun run = Mutated(folder, 1, path =>
        {
            try
            {
                Load(path);
            }
            catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
            {
                throw new InvalidOperationException("planted");
            }
        });
        Assert.Contains("planted", run.FirstBad(4_000) ?? "nothing found");
    }

    /// <summary>All parts, one of them mutated; <paramref name="load"/> gets the path of the first.</summary>
    private static HostileRun Mutated(TemporaryFolder folder, int part, Action<string> load)
    {
        Write(folder);
        byte[] bytes = File.ReadAllBytes(folder[Name(part)]);
        return new HostileRun("split GGUF", 77, [new Specimen($"part {part + 1}", bytes)], mutated =>
        {
            File.WriteAllBytes(folder[Name(part)], mutated);
            load(folder[Name(0)]);
        });
    }

    private static void Load(string path)
    {
        using WeightSource model = WeightSource.Open(path, mapped: false);
        foreach (TensorInfo tensor in model.Tensors.Where(t => t.IsSupported))
            _ = model.Read(tensor.Name, (int)(tensor.ElementCount / tensor.Dimensions[0]), (int)tensor.Dimensions[0]).RowData(0)[0];
    }

    private static string Name(int part) => SplitGguf.NameOf("model", part, Parts);

    private static Metadata Numbering(int part, int parts, int tensors)
    {
        var metadata = new Metadata();
        metadata.Set("split.no", (ushort)part);
        metadata.Set("split.count", (ushort)parts);
        metadata.Set("split.tensors.count", tensors);
        return metadata;
    }

    /// <summary>Three parts of two tensors each; <paramref name="change"/> may spoil the metadata of a part.</summary>
    private static void Write(
        TemporaryFolder folder, Func<int, Action<Metadata>?>? change = null, Func<char, int, string>? tensorName = null)
    {
        for (int part = 0; part < Parts; part++)
        {
            Metadata metadata = Numbering(part, Parts, 2 * Parts);
            if (part == 0)
            {
                metadata.Set("general.architecture", "llama");
                metadata.Set("llama.x", 7u);
            }

            change?.Invoke(part)?.Invoke(metadata);
            Tensor tensor = Tensor.From([part, part + 1, part + 2, part + 3], 2, 2);
            GgufWriter.Write(folder[Name(part)], metadata,
            [
                new GgufWriter.Entry(tensorName?.Invoke('a', part) ?? $"a{part}", [2, 2], tensor),
                new GgufWriter.Entry(tensorName?.Invoke('b', part) ?? $"b{part}", [2, 2], tensor),
            ]);
        }
    }

    private static string Refused(TemporaryFolder folder, int named)
    {
        string message = Assert.Throws<ModelFormatException>(() => WeightSource.Open(folder[Name(named)]).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
