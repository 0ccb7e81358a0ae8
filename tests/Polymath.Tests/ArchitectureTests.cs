using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Fluent.Syntax.Elements.Types;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using Xunit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Polymath.Tests;

/// <summary>The arrows between the parts and the habits of the house, kept by machine.</summary>
public sealed partial class ArchitectureTests
{
    private const int LongestFile = 400;

    private static readonly System.Reflection.Assembly Tensors = typeof(Polymath.Tensors.Tensor).Assembly;
    private static readonly System.Reflection.Assembly Engine = typeof(Polymath.Files.WeightSource).Assembly;
    private static readonly System.Reflection.Assembly ExtensionsAI = typeof(Polymath.Extensions.AI.PolymathChatClient).Assembly;
    private static readonly System.Reflection.Assembly Server = typeof(Polymath.Server.PolymathServer).Assembly;
    private static readonly System.Reflection.Assembly Cli = typeof(Polymath.Cli.CommandLine).Assembly;

    private static readonly Lazy<Architecture> Loaded =
        new(() => new ArchLoader().LoadAssemblies(Tensors, Engine, ExtensionsAI, Server, Cli).Build());

    /// <summary>Parts of the engine, each with those it may use.</summary>
    public static TheoryData<string, string[]> Arrows => new()
    {
        { "Files", [] },
        { "Text", ["Files"] },
        { "Hub", ["Files"] },
        { "Models", ["Files", "Text"] },
        { "Generation", ["Files", "Text", "Models"] },
        { "Chat", ["Files", "Text", "Models", "Generation"] },
        { "Training", ["Files", "Text", "Models", "Generation"] },
    };

    [Theory]
    [MemberData(nameof(Arrows))]
    public void A_part_of_the_engine_uses_only_what_its_arrow_allows(string part, string[] allowed)
    {
        string[] forbidden = [.. Arrows.Select(row => row.Data.Item1).Where(other => other != part && !allowed.Contains(other))];
        if (forbidden.Length > 0)
            NoArrow(part, string.Join('|', forbidden)).Check(Loaded.Value);
    }

    [Fact]
    public void A_forbidden_arrow_would_be_seen() => Assert.False(NoArrow("Generation", "Models").HasNoViolations(Loaded.Value));

    [Fact]
    public void Every_part_of_the_engine_has_its_arrow()
    {
        HashSet<string> known = [.. Arrows.Select(row => row.Data.Item1)];
        IEnumerable<string> parts = Directory.GetDirectories(Path.Combine(Shared.ProjectRoot, "src", "Polymath")).Select(d => Path.GetFileName(d)!);
        Assert.All(parts.Where(p => p is not ("obj" or "bin")), part => Assert.Contains(part, known));
    }

    [Fact]
    public void Tensors_use_nothing_of_ours_and_the_engine_only_tensors()
    {
        Assert.DoesNotContain(References(Tensors), name => name.StartsWith("Polymath", StringComparison.Ordinal));
        Assert.Equal(["Polymath.Tensors"], References(Engine).Where(name => name.StartsWith("Polymath", StringComparison.Ordinal)));
        Assert.All(References(Tensors).Concat(References(Engine)), name => Assert.Matches(@"^(System|Microsoft\.Win32|Polymath\.Tensors|netstandard)", name));
    }

    [Fact]
    public void The_extensions_use_the_engine_and_abstractions_alone() => Assert.All(
        References(ExtensionsAI),
        name => Assert.Matches(@"^(System|Microsoft\.Extensions\.(\w+\.Abstractions|Options)$|Polymath(\.Tensors)?$)", name));

    [Fact]
    public void The_server_uses_the_engine_and_the_framework_alone() =>
        Assert.All(References(Server), name => Assert.Matches(@"^(System|Microsoft\.(AspNetCore|Extensions)|Polymath(\.Tensors)?$)", name));

    [Fact]
    public void The_libraries_never_write_to_the_console() =>
        Assert.DoesNotContain("System.Console", new[] { Tensors, Engine, ExtensionsAI, Server }.SelectMany(References));

    [Fact]
    public void No_type_is_named_after_nothing()
    {
        IEnumerable<string> names = new[] { Tensors, Engine, ExtensionsAI, Server, Cli }.SelectMany(a => a.GetTypes()).Select(t => t.Name)
            .Where(name => !name.StartsWith('<'));   // what a source generator names
        Assert.DoesNotContain(names, name => EmptyName().IsMatch(name));
    }

    [Fact]
    public void A_source_file_is_short_enough_to_read() =>
        Assert.All(Sources("src", "tests", "bench", "samples"), file =>
            Assert.True(File.ReadLines(file).Count() <= LongestFile, $"{file} has more than {LongestFile} lines"));

    [Fact]
    public void Unsafe_code_stays_in_the_kernels_and_the_mapped_files() =>
        Assert.All(Sources("src"), file =>
        {
            string relative = Path.GetRelativePath(Path.Combine(Shared.ProjectRoot, "src"), file).Replace('\\', '/');
            if (relative.StartsWith("Polymath.Tensors/", StringComparison.Ordinal) || relative.StartsWith("Polymath/Files/", StringComparison.Ordinal))
                return;
            Assert.False(File.ReadLines(file).Any(line => UnsafeKeyword().IsMatch(line)), $"{relative} has unsafe code");
        });

    [Fact]
    public void A_namespace_follows_its_folder() =>
        Assert.All(Sources("src"), file =>
        {
            Match found = NamespaceLine().Match(File.ReadAllText(file));
            if (!found.Success)
                return;   // Program.cs
            string[] folders = Path.GetRelativePath(Path.Combine(Shared.ProjectRoot, "src"), Path.GetDirectoryName(file)!).Split('/', '\\');
            string expected = folders[0] == "Polymath.Tensors" ? "Polymath.Tensors" : string.Join('.', folders);
            Assert.True(found.Groups[1].Value == expected, $"{file} is in namespace {found.Groups[1].Value}, not {expected}");
        });

    /// <summary>What is written down must mean the same on every machine: no place of one of them, no package source.</summary>
    [Fact]
    public void No_file_names_a_machine_or_a_package_source()
    {
        string[] texts = [".cs", ".csproj", ".props", ".slnx", ".json", ".md", ".sh", ".py", ".mjs", ".js", ".yml", ".cmd", ""];
        Regex place = new(string.Join('|', ["[ \"'`(=]/wo" + "rk/", "/tm" + "p/wt", "/ro" + "ot/", "/ho" + "me/[a-z]", "C:\\\\Us" + "ers"]));
        foreach (string file in Files(Shared.ProjectRoot))
        {
            string name = Path.GetFileName(file);
            Assert.False(name.ToUpperInvariant() is "NUGET.CONFIG" or ".NPMRC" or ".PYPIRC" or "PIP.CONF", $"{file} names a package source");
            if (!texts.Contains(Path.GetExtension(file)) || new FileInfo(file).Length > 1 << 20)
                continue;
            int number = 0;
            foreach (string line in File.ReadLines(file))
            {
                number++;
                Assert.False(place.IsMatch(line), $"{file}:{number} names a place of one machine: {line.Trim()}");
            }
        }
    }

    private static TypesShouldConjunction NoArrow(string from, string to)
    {
        return Types().That().ResideInNamespaceMatching(Of(from)).Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(Of(to)));

        static string Of(string parts) => $@"^Polymath\.({parts})(\.|$)";
    }

    private static IEnumerable<string> References(System.Reflection.Assembly assembly) =>
        assembly.GetReferencedAssemblies().Select(name => name.Name!).Order(StringComparer.Ordinal);

    private static List<string> Sources(params string[] folders) =>
        [.. folders.SelectMany(folder => Files(Path.Combine(Shared.ProjectRoot, folder))).Where(f => f.EndsWith(".cs", StringComparison.Ordinal))];

    /// <summary>All files under a folder that belong to the project.</summary>
    private static IEnumerable<string> Files(string folder)
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (string file in Directory.GetFiles(folder))
        {
            if (!file.EndsWith(".tmp", StringComparison.Ordinal) && Path.GetFileName(file) != ".git")
                yield return file;
        }

        foreach (string inner in Directory.GetDirectories(folder))
        {
            if (Path.GetFileName(inner) is "artifacts" or ".git" or "obj" or "bin" or "TestResults" or "node_modules" or "BenchmarkDotNet.Artifacts")
                continue;
            foreach (string file in Files(inner))
                yield return file;
        }
    }

    [GeneratedRegex("(Helper|Helpers|Manager|Utils?|Utilities|Base)(`[0-9]+)?$")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"^[^/""]*\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
