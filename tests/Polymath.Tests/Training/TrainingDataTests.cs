using System.IO.Compression;
using System.Text;
using Polymath.Tests.Files;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class TrainingDataTests
{
    [Fact]
    public void Gzipped_text_reads_like_plain_text()
    {
        using var folder = new TemporaryFolder();
        string plain = Path.Combine(folder.Path, "a.txt"), zipped = Path.Combine(folder.Path, "a.txt.gz");
        File.WriteAllText(plain, Runs.Text(5000));
        using (var gzip = new GZipStream(File.Create(zipped), CompressionLevel.Fastest))
            gzip.Write(File.ReadAllBytes(plain));
        Assert.Equal(Read(plain), Read(zipped));
    }

    [Fact]
    public void Files_and_separators_divide_documents()
    {
        using var folder = new TemporaryFolder();
        string a = Path.Combine(folder.Path, "a"), b = Path.Combine(folder.Path, "b");
        File.WriteAllText(a, "one\ntwo\n<|endoftext|>\nthree\r\n<|endoftext|>\n\n<|endoftext|>\nfour\n");
        File.WriteAllText(b, "\uFEFFfive");
        TextPiece[] pieces = Read(a, b);
        Assert.Equal(["one\ntwo", "three", "four", "five"], pieces.Select(p => p.Text));
        Assert.All(pieces, p => Assert.True(p.EndsDocument));
    }

    [Fact]
    public void A_long_document_comes_in_pieces_that_add_up()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "long");
        string text = string.Concat(Enumerable.Range(0, 400_000).Select(i => i % 9 == 0 ? $"line {i}\n" : $"{i} 🙂 "))
            .TrimEnd('\n') + "<|endoftext|>" + new string('한', 2_500_000) + "🙂";
        File.WriteAllText(path, text);
        var corpus = new TextCorpus([path], long.MaxValue);
        TextPiece[] pieces = [.. corpus.Read()];
        Assert.True(pieces.Length > 5);
        Assert.Equal(2, pieces.Count(p => p.EndsDocument));
        Assert.Equal(text, string.Concat(pieces.Select(p => p.EndsDocument ? p.Text + "<|endoftext|>" : p.Text))[..^13]);
        Assert.All(pieces, p => Assert.False(char.IsLowSurrogate(p.Text[0])));
        Assert.Equal(Encoding.UTF8.GetByteCount(text), corpus.Bytes);
        Assert.Equal(0, corpus.InvalidSequences);
    }

    [Fact]
    public void Separators_are_found_wherever_the_buffer_ends()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "edge");
        for (int shift = 0; shift < 30; shift++)
        {
            string first = new('x', (1 << 20) - 20 + shift);
            File.WriteAllText(path, first + "<|endoftext|>\nlast");
            string[] documents = string.Concat(Read(path).Select(p => p.EndsDocument ? p.Text + "\0" : p.Text)).Split('\0');
            Assert.Equal([first, "last", ""], documents);
        }
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_replaced_and_counted()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "bad");
        File.WriteAllBytes(path, [.. "a"u8, 0xFF, .. "b"u8, 0xC3, .. "c"u8, 0xE2, 0x82]);
        var corpus = new TextCorpus([path], 100);
        Assert.Equal("a\uFFFDb\uFFFDc\uFFFD", corpus.Read().Single().Text);
        Assert.Equal(3, corpus.InvalidSequences);

        var told = new List<string>();
        File.WriteAllBytes(path, [.. Encoding.UTF8.GetBytes(Runs.Text(2000)), 0xFF, .. Encoding.UTF8.GetBytes(Runs.Text(100))]);
        Trainer.Run(Runs.Options(folder.Path, steps: 1) with { Data = [path] }, tell: told.Add);
        Assert.Contains(told, line => line.Contains("1 byte sequences are not UTF-8", StringComparison.Ordinal));
    }

    [Fact]
    public void What_cannot_be_read_is_named()
    {
        using var folder = new TemporaryFolder();
        string missing = Path.Combine(folder.Path, "missing.txt"), empty = Path.Combine(folder.Path, "empty.txt");
        string torn = Path.Combine(folder.Path, "torn.gz"), bomb = Path.Combine(folder.Path, "bomb.gz"), few = Path.Combine(folder.Path, "few.txt");
        File.WriteAllText(empty, "\n\n");
        File.WriteAllText(few, "Too few.");
        using (var gzip = new GZipStream(File.Create(bomb), CompressionLevel.Fastest))
            gzip.Write(new byte[5_000_000]);
        using (var gzip = new GZipStream(File.Create(torn), CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(Runs.Text(4000)));
        File.WriteAllBytes(torn, File.ReadAllBytes(torn)[..3000]);

        Assert.Contains("missing.txt: no such file", Refusal(missing), StringComparison.Ordinal);
        Assert.Contains("is a folder", Refusal(folder.Path), StringComparison.Ordinal);
        Assert.Contains("empty.txt: no text", Refusal(empty), StringComparison.Ordinal);
        Assert.Contains("bomb.gz: the data holds more than 1000000 bytes", Refusal(bomb), StringComparison.Ordinal);
        Assert.Contains("needs at least 17", Refusal(few), StringComparison.Ordinal);
        Assert.Contains("torn.gz: the file is cut off", Refusal(torn), StringComparison.Ordinal);
        Assert.Contains("no data", Assert.Throws<TrainingException>(
            () => Trainer.Run(Runs.Options(folder.Path) with { Data = [] })).Message, StringComparison.Ordinal);

        string Refusal(string path)
        {
            TrainingOptions options = Runs.Options(folder.Path) with { Data = [path], MaxDataBytes = 1_000_000 };
            string message = Assert.Throws<TrainingException>(() => Trainer.Run(options)).Message;
            Assert.DoesNotContain('\n', message);
            Assert.False(Directory.Exists(options.Output + ".checkpoint"), "a run that never started leaves no checkpoint folder");
            return message;
        }
    }

    [Fact]
    public void Every_window_comes_once_in_an_epoch_and_in_another_order_in_the_next()
    {
        var order = new WindowOrder(1000, 10, 5);
        int[] first = [.. Enumerable.Range(0, order.Windows).Select(i => order.Start(i))];
        int[] second = [.. Enumerable.Range(0, order.Windows).Select(i => order.Start(order.Windows + i))];
        Assert.Equal(98, order.Windows);
        Assert.Equal(Enumerable.Range(0, 98).Select(i => first.Min() + (10 * i)), first.Order());
        Assert.NotEqual(first, second);
        Assert.InRange(first.Max() + 10, 0, 999);
        Assert.InRange(second.Max() + 10, 0, 999);
        Assert.Equal(first[40], new WindowOrder(1000, 10, 5).Start(40));   // from anywhere, without what came before
        Assert.NotEqual(first, Enumerable.Range(0, 98).Select(i => new WindowOrder(1000, 10, 6).Start(i)));
        Assert.Equal(0, new WindowOrder(11, 10, 1).Start(7));
    }

    [Fact]
    public void The_learning_rate_rises_in_a_line_and_falls_along_a_cosine()
    {
        var rate = new LearningRate(1, 0.1, 10, 111);
        Assert.Equal(0.1, rate.At(0), 1e-12);
        Assert.Equal(0.5, rate.At(4), 1e-12);
        Assert.Equal(1, rate.At(9), 1e-12);
        Assert.Equal(1, rate.At(10), 1e-12);
        Assert.Equal(0.55, rate.At(60), 1e-12);
        Assert.Equal(0.1, rate.At(110), 1e-12);
        for (int step = 11; step < 111; step++)
            Assert.True(rate.At(step) < rate.At(step - 1));
    }

    [Fact]
    public void Token_sequences_of_narrow_and_wide_ids_hold_the_same()
    {
        TokenSequence ids = TokenSequence.Of([5, 6, 7, 8, 9]);
        int[] found = new int[2];
        ids.Slice(1, 3).CopyTo(1, found);
        Assert.Equal([7, 8], found);
        Assert.Equal(TokenSequence.Of([7, 8]).Digest(), ids.Slice(2, 2).Digest());
        Assert.NotEqual(ids.Digest(), ids.Slice(0, 4).Digest());
    }

    private static TextPiece[] Read(params string[] paths) => [.. new TextCorpus(paths, long.MaxValue).Read()];
}
