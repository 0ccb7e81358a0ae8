using System.IO.Compression;
using System.Text;
using Polymath.Cli;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Cli;

public sealed class TextInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_file_is_read_plain_or_gzipped(bool zipped)
    {
        string text = new('x', 100_000);
        Assert.Equal("é" + text, TextInput.ReadFile(Save(Encoding.UTF8.GetBytes("é" + text), zipped), default));
    }

    [Fact]
    public void A_byte_order_mark_is_dropped_and_bad_bytes_become_replacement_characters()
    {
        Assert.Equal("a", TextInput.ReadFile(Save([0xef, 0xbb, 0xbf, (byte)'a']), default));
        Assert.Equal("\ufffdb", TextInput.ReadFile(Save([0xff, (byte)'b']), default));
    }

    [Fact]
    public void A_small_file_that_unpacks_to_a_huge_one_is_refused()
    {
        string path = Save(new byte[1 << 20], zipped: true);
        Assert.True(new FileInfo(path).Length < 4096);
        Assert.Throws<InvalidDataException>(() => TextInput.ReadFile(path, default, most: 1 << 19));
    }

    [Fact]
    public void A_damaged_gzip_file_is_an_error_that_names_it()
    {
        byte[] bytes = File.ReadAllBytes(Save(Encoding.UTF8.GetBytes("some text that is packed"), zipped: true));
        bytes[12] ^= 0xff;
        var error = Assert.Throws<InvalidDataException>(() => TextInput.ReadFile(Save(bytes), default));
        Assert.Contains("text", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_model_is_the_single_file_in_the_nearest_models_folder_above()
    {
        string deep = Path.Combine(_folder.Path, "a", "b");
        Directory.CreateDirectory(deep);
        string models = Directory.CreateDirectory(Path.Combine(_folder.Path, "models")).FullName;
        File.WriteAllText(Path.Combine(models, "README.md"), "");
        string one = Path.Combine(models, "one.gguf");
        File.WriteAllText(one, "");
        Assert.Equal(one, DefaultModel.Above(deep));
        File.WriteAllText(Path.Combine(models, "two.gguf"), "");
        Assert.Throws<FileNotFoundException>(() => DefaultModel.Above(deep));
    }

    private string Save(byte[] bytes, bool zipped = false)
    {
        string path = _folder[zipped ? "text.gz" : "text"];
        using Stream file = File.Create(path);
        if (!zipped)
        {
            file.Write(bytes);
            return path;
        }

        using var gzip = new GZipStream(file, CompressionLevel.SmallestSize);
        gzip.Write(bytes);
        return path;
    }
}
